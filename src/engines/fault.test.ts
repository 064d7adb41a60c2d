import { expect, test } from "vitest";
import { classifyFault } from "./fault.ts";

test.each([
  // Ollama
  [
    500,
    '{"error":"model requires more system memory (9.1 GiB) than is available (4.0 GiB)"}',
    "SERVER_OUT_OF_MEMORY",
  ],
  [
    500,
    '{"error":"llama runner process has terminated: cudaMalloc failed: out of memory"}',
    "SERVER_OUT_OF_MEMORY",
  ],
  [404, '{"error":"model \\"x\\" not found, try pulling it first"}', "MODEL_NOT_FOUND"],
  [500, '{"error":"timed out waiting for llama runner to start - progress 0.00 - "}', "SERVER_ERROR"],
  [503, '{"error":"server busy, please try again. maximum pending requests exceeded"}', "SERVER_ERROR"],
  // llama-server
  [503, '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}', "SERVER_LOADING"],
  [401, '{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}', "UNAUTHORIZED"],
  [404, '{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}', "SERVER_ERROR"],
  [
    400,
    '{"error":{"code":400,"message":"request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error"}}',
    "CONTEXT_EXCEEDED",
  ],
  // vLLM
  [
    400,
    '{"object":"error","message":"This model\'s maximum context length is 2048 tokens. However, you requested 3000 tokens","type":"BadRequestError","code":400}',
    "CONTEXT_EXCEEDED",
  ],
  [
    404,
    '{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","code":404}',
    "MODEL_NOT_FOUND",
  ],
  [404, '{"detail":"Not Found"}', "SERVER_ERROR"],
  // TGI
  [
    422,
    '{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 2000","error_type":"validation"}',
    "CONTEXT_EXCEEDED",
  ],
  [429, '{"error":"Model is overloaded","error_type":"overloaded"}', "RATE_LIMITED"],
  // hosted
  [
    400,
    '{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}',
    "CONTEXT_EXCEEDED",
  ],
  [403, "<html>Forbidden</html>", "UNAUTHORIZED"],
  [502, "", "SERVER_ERROR"],
])("HTTP %i %s means %s", (status, body, code) => {
  expect(classifyFault(status, body).code).toBe(code);
});

test("an error inside a stream is judged by its own code and words", () => {
  expect(classifyFault(undefined, '{"error":{"code":429,"message":"slow down"}}')).toEqual({
    code: "RATE_LIMITED",
    message: "the server reported an error in the stream: slow down",
  });
});

test("the message is one short line, whatever the body", () => {
  expect(classifyFault(500, "line one\n\n  line two").message).toBe("HTTP 500: line one line two");
  expect(classifyFault(500, "x".repeat(5000)).message).toHaveLength("HTTP 500: ".length + 301);
  expect(classifyFault(500, '{"error":{"unknown":"form"}}').message).toBe('HTTP 500: {"unknown":"form"}');
  expect(classifyFault(422, '{"detail":[{"loc":["body"],"msg":"field required"}]}').message).toBe(
    'HTTP 422: [{"loc":["body"],"msg":"field required"}]',
  );
});
