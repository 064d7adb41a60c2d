/** Prices and options as data: what each costs to build, to run, and how many instances it takes. */
import { z } from "zod";

/** Raised when a field changes its meaning. */
export const COST_FILE_VERSION = 1;

const text = z.string().trim().min(1);
const amount = z.number().nonnegative();
const positive = z.number().positive();

/** A count that is given, or follows from memory, or from how long one execution takes. */
const instanceCount = z.union([
  z.int().min(0),
  z.strictObject({
    by: z.literal("memory"),
    agents: z.int().min(1),
    memoryPerAgentMib: positive,
    memoryPerInstanceMib: positive,
  }),
  z.strictObject({
    by: z.literal("time"),
    /** Milliseconds of one execution, or the figure of the run that says so. */
    execution: z.union([positive, text]),
    /** Executions that one instance carries at the same time. */
    atOnce: z.int().min(1).default(1),
    /** Share of the month in which an instance may be busy: traffic is not even. */
    utilization: positive.max(1).default(0.7),
  }),
]);

const option = z.strictObject({
  name: text,
  what: text.exactOptional(),
  instances: z.array(z.strictObject({ name: text, count: instanceCount, pricePerMonth: amount })).min(1),
  /** Once, before the first month. */
  development: amount.default(0),
  /** Each year, beside the instances, by name. */
  perYear: z.record(text, amount).default({}),
  /** What the file's source printed, to be held against what is computed. */
  published: z
    .strictObject({ perMonth: amount.exactOptional(), total: amount.exactOptional() })
    .exactOptional(),
});

export const costFileSchema = z
  .strictObject({
    version: z.literal(COST_FILE_VERSION),
    title: text,
    /** A shipped study whose costs these are. */
    study: text.exactOptional(),
    currency: text.default("USD"),
    /** One execution: one trial, all its agents. */
    executionsPerMonth: positive,
    years: positive.default(5),
    /** The option that the others are held against. */
    baseline: text,
    options: z.array(option).min(1),
    published: z
      .strictObject({
        breakEvenMonths: z.array(z.strictObject({ option: text, against: text, months: amount })).default([]),
      })
      .exactOptional(),
    /** What a reader must know before believing the totals. */
    notes: z.array(text).default([]),
  })
  .check((context) => {
    const names = context.value.options.map((one) => one.name);
    if (new Set(names).size !== names.length)
      context.issues.push({
        code: "custom",
        input: names,
        path: ["options"],
        message: "two options have one name",
      });
    const { baseline, published } = context.value;
    const named = [
      baseline,
      ...(published?.breakEvenMonths ?? []).flatMap((one) => [one.option, one.against]),
    ];
    for (const name of named)
      if (!names.includes(name))
        context.issues.push({
          code: "custom",
          input: name,
          path: ["baseline"],
          message: `${name} is none of the options ${names.join(", ")}`,
        });
  });
export type CostFile = z.output<typeof costFileSchema>;
export type CostOption = z.output<typeof option>;
export type InstanceCount = z.output<typeof instanceCount>;
