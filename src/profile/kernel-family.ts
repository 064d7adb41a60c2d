/**
 * What a kernel does, told from its name. Names are those that llama.cpp, PyTorch, cuBLAS, CUTLASS,
 * FlashAttention, vLLM and CuPy give; a name that says nothing is `other`, and is never guessed.
 */

export type KernelFamily =
  | "communication"
  | "attention"
  | "quantised matmul"
  | "GEMM"
  | "quantisation"
  | "norm"
  | "rotary"
  | "softmax"
  | "sampling"
  | "copy"
  | "gather"
  | "reduction"
  | "elementwise"
  | "other";

/**
 * The first that matches decides, so what is special stands above what is general: a fused kernel
 * counts as its most expensive part, and `splitKreduce` belongs to its GEMM.
 */
const RULES: readonly (readonly [KernelFamily, RegExp])[] = [
  ["communication", /nccl|all_?reduce|all_?gather|reduce_?scatter|cross_device_reduce|nvshmem/],
  ["attention", /flash|fmha|attn|attention|\bmla_|paged_kv/],
  [
    "quantised matmul",
    /mul_mat_q|mul_mat_vec_q|mmq|mmvq|dequantize_mul_mat|marlin|awq_gemm|gptq|exl[23]|gemm_half_q|kgemm_4bit|gemv_4bit|w4a16|w8a8|machete/,
  ],
  [
    "GEMM",
    /gemm|gemv|xmma|nvjet|cublas|cutlass|mul_mat|matmul|splitkreduce|_wmma_|ampere_[hs]|volta_[hs]884|conv2d_grouped|implicit_convolve/,
  ],
  ["norm", /rms_?norm|layer_?norm|group_?norm|batch_?norm|l2_?norm|norm_f32|(?:^|_)norm_kernel/],
  ["rotary", /\brope|rope_|rotary/],
  ["softmax", /soft_?max/],
  ["sampling", /top_?k|top_?p|argsort|bitonic|radixsort|argmax|multinomial|sampling|sampler|radixfindkth/],
  ["quantisation", /quantize|quantise|quant_kernel|scaled_fp8|to_fp8/],
  [
    "gather",
    /get_rows|set_rows|gather|scatter|index_?select|index_elementwise|indexing|embedding|reshape_and_cache|index_put/,
  ],
  ["copy", /copy|cpy_|\bcpy|convert_unary|concat|catarray|transpose|permute|memset|memcpy|fill|dup_|im2col/],
  ["reduction", /reduce|sum_rows|cumsum|scan_kernel|devicescan|\bmean_|argmin/],
  [
    "elementwise",
    /elementwise|bin_bcast|unary|silu|gelu|swiglu|relu|act_and_mul|gated|scale_f32|cupy_|add_f32|mul_f32|clamp|triton_poi/,
  ],
];

export function kernelFamily(name: string): KernelFamily {
  const lower = name.toLowerCase();
  return RULES.find(([, pattern]) => pattern.test(lower))?.[0] ?? "other";
}
