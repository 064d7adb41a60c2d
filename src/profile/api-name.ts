/** Nsight Systems adds the version of the API in which a function changed last: `cudaLaunchKernel_v7000`. */
export function apiName(name: string): string {
  return name.replace(/_v\d{4,5}$/, "");
}
