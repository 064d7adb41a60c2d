import { expect, it } from "vitest";
import type { KernelFamily } from "./kernel-family.ts";
import { kernelFamily } from "./kernel-family.ts";

/** Names as they stand in traces of llama.cpp, PyTorch, vLLM, cuBLAS and CuPy. */
const NAMES: readonly (readonly [KernelFamily, string])[] = [
  ["quantised matmul", "void mul_mat_q<(ggml_type)8, (int)128, (bool)1>(const char *, const int *, float *)"],
  [
    "quantised matmul",
    "void mul_mat_vec_q<(ggml_type)12, (int)1, (bool)0>(const void *, const void *, float *)",
  ],
  [
    "quantised matmul",
    "void marlin::Marlin<half, 1125899906909960l, 256, 1, 8, 8, 4, false, 4, 8>(int4 const*)",
  ],
  ["GEMM", "void mul_mat_vec<__half, __half, (int)1, (int)256>(const __half *, const float *)"],
  ["GEMM", "ampere_h16816gemm_128x64_ldg8_stages_64x3_tn"],
  ["GEMM", "nvjet_tst_128x64_64x6_2x1_v_bz_TNT"],
  ["GEMM", "void cutlass::Kernel2<cutlass_80_tensorop_bf16_s16816gemm_relu_bf16>(Params)"],
  ["GEMM", "void cublasLt::splitKreduce_kernel<(int)32, (int)16, int, double>(T1)"],
  ["attention", "void flash_attn_ext_f16<(int)128, (int)8>(const char *)"],
  ["attention", "void pytorch_flash::flash_fwd_kernel<Flash_fwd_kernel_traits<128, 128>>(Params)"],
  ["attention", "fmha_cutlassF_f16_aligned_64x64_rf_sm80(PyTorchMemEffAttention::Params)"],
  ["attention", "void vllm::paged_attention_v2_kernel<__half, 128>(float *)"],
  ["norm", "void rms_norm_f32<(int)1024, (bool)1>(const float *, float *, int)"],
  ["norm", "void at::native::(anonymous namespace)::vectorized_layer_norm_kernel<c10::Half, float>(int)"],
  ["rotary", "void rope_neox<(bool)1, (bool)0, float>(const float *, float *)"],
  ["rotary", "void vllm::rotary_embedding_kernel<c10::Half, true>(long const*)"],
  ["softmax", "void soft_max_f32<(bool)1, (int)0, (int)0, float>(const float *)"],
  ["quantisation", "void quantize_q8_1(const float *, void *, long, long)"],
  ["gather", "void k_get_rows_float<float, float>(const float *, const int *)"],
  ["copy", "void cpy_f32_f16<&cpy_1_f32_f16>(const char *, char *)"],
  [
    "copy",
    "void at::native::elementwise_kernel<128, 2, at::native::direct_copy_kernel_cuda(TensorIteratorBase&)>(int)",
  ],
  ["sampling", "void k_argsort_f32_i32<(ggml_sort_order)1>(const float *, int *)"],
  ["reduction", "void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, MeanOps<float>>>(T3)"],
  ["elementwise", "void k_bin_bcast<&op_add, float, float, float>(const float *)"],
  ["elementwise", "void unary_gated_op_kernel<&op_silu, float>(const float *)"],
  ["communication", "ncclDevKernel_AllReduce_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<4096>)"],
  ["other", "my_kernel"],
];

it.each(NAMES)("%s: %s", (family, name) => {
  expect(kernelFamily(name)).toBe(family);
});
