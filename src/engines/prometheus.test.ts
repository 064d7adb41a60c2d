import { expect, test } from "vitest";
import { readPrometheus } from "./prometheus.ts";

test("samples are summed over their labels, and everything else is left out", () => {
  const page = [
    "# HELP llamacpp:requests_processing Number of requests processing.",
    "# TYPE llamacpp:requests_processing gauge",
    "llamacpp:requests_processing 2",
    "llamacpp:tokens_predicted_total 1.5e3\r",
    'vllm:request_success_total{finished_reason="stop",model_name="a b"} 3.0 1700000000000',
    'vllm:request_success_total{finished_reason="length",model_name="a b"} 4.0',
    "vllm:ratio NaN",
    "",
    "not a sample",
  ].join("\n");
  expect([...readPrometheus(page)]).toEqual([
    ["llamacpp:requests_processing", 2],
    ["llamacpp:tokens_predicted_total", 1500],
    ["vllm:request_success_total", 7],
  ]);
});
