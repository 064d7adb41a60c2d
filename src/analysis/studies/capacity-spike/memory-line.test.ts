import { expect, it } from "vitest";
import { readStudy } from "../../../../test/fakes/study-files.ts";
import { capacitySpikeInputs } from "./inputs.ts";
import { fitMemoryLine, freeByLine } from "./memory-line.ts";

const inputs = capacitySpikeInputs.parse(readStudy("capacity-spike").inputs);
const line = fitMemoryLine(inputs);

it("is the line that numpy's lstsq fits to the five launches", () => {
  expect(line.fixedMib).toBeCloseTo(18205.9258, 3);
  expect(line.perSlotMib).toBeCloseTo(216.078886, 5);
  expect(line.per1kCellsMib).toBeCloseTo(11.125435, 5);
  expect(line.worstPct).toBeCloseTo(0.83141159, 6);
});

it("leaves less than nothing for three slots of 256K and of 200K, and something for every other row", () => {
  const free = inputs.workloads.map((row) => [row.id, Math.round(freeByLine(inputs, line, row))]);
  expect(Object.fromEntries(free)).toMatchObject({ "07": -2149, "08": -280, "09": 2123, "01": 4236 });
  expect(free.filter(([, mib]) => Number(mib) < 0)).toHaveLength(2);
});
