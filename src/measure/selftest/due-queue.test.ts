import fc from "fast-check";
import { expect, test } from "vitest";
import { DueQueue } from "./due-queue.ts";

test("whatever is pushed, moved and removed, the first is the earliest due", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("push" as const), dueNs: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ do: fc.constant("later" as const), byNs: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ do: fc.constant("remove" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new DueQueue<{ dueNs: number }>();
      const model: { dueNs: number }[] = [];
      for (const action of steps) {
        const first = queue.first;
        if (action.do === "push") {
          const item = { dueNs: action.dueNs };
          queue.push(item);
          model.push(item);
        } else if (first !== undefined && action.do === "later") {
          first.dueNs += action.byNs;
          queue.firstMoved();
        } else if (first !== undefined) {
          queue.removeFirst();
          model.splice(model.indexOf(first), 1);
        }
        expect(queue.first?.dueNs ?? Infinity).toBe(Math.min(...model.map(({ dueNs }) => dueNs), Infinity));
      }
    }),
  );
});
