/**
 * Which part of a model a tensor belongs to: that decides whether it goes to the GPU. llama.cpp
 * moves layers from the end of the model, the output with the first of them, and leaves the input
 * embedding in host memory always (llama-model.cpp, load_tensors; llama-arch.cpp, tensor infos).
 */
import type { GgufTensor } from "./gguf-header.ts";

export interface WeightPlaces {
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** No output matrix in the file: the input embedding serves, and is loaded a second time where the output is. */
  readonly tiedOutputBytes: number;
  readonly layerBytes: readonly number[];
  /** Of those, matrices of experts among which a token's router chooses. */
  readonly layerExpertBytes: readonly number[];
  readonly totalBytes: number;
  readonly elements: number;
  readonly layerElements: readonly number[];
  readonly layerExpertElements: readonly number[];
}

const LAYER_NAME = /^blk\.(\d+)\./;
const INPUT_NAME = /^(token_embd|position_embd|token_types|per_layer_token_embd)\./;
/** Merged experts (`ffn_up_exps`), and the older form with one tensor each (`ffn_up.17`). Shared experts are `_shexp`. */
const EXPERT_NAME = /\.ffn_(?:gate_up|gate|up|down)(?:_exps|\.\d+)\./;

/** Tensors of layers beyond `layers` (there are none in a sound file) count as output, so that the sum stays right. */
export function weightPlaces(tensors: readonly GgufTensor[], layers: number): WeightPlaces {
  const zeros = (): number[] => Array.from({ length: layers }, () => 0);
  const sums = { input: 0, output: 0, total: 0, elements: 0 };
  const [layerBytes, layerExpertBytes, layerElements, layerExpertElements] = [
    zeros(),
    zeros(),
    zeros(),
    zeros(),
  ];
  for (const tensor of tensors) {
    sums.total += tensor.bytes;
    sums.elements += tensor.elements;
    const layer = Number(LAYER_NAME.exec(tensor.name)?.[1] ?? layers);
    if (layer < layers) {
      add(layerBytes, layer, tensor.bytes);
      add(layerElements, layer, tensor.elements);
      if (EXPERT_NAME.test(tensor.name)) {
        add(layerExpertBytes, layer, tensor.bytes);
        add(layerExpertElements, layer, tensor.elements);
      }
    } else if (INPUT_NAME.test(tensor.name)) sums.input += tensor.bytes;
    else sums.output += tensor.bytes;
  }
  const hasOutput = tensors.some((tensor) => tensor.name === "output.weight");
  const embedding = tensors.find((tensor) => tensor.name === "token_embd.weight");
  return {
    inputBytes: sums.input,
    outputBytes: sums.output,
    tiedOutputBytes: hasOutput ? 0 : (embedding?.bytes ?? 0),
    layerBytes,
    layerExpertBytes,
    totalBytes: sums.total,
    elements: sums.elements,
    layerElements,
    layerExpertElements,
  };
}

function add(sums: number[], index: number, amount: number): void {
  sums[index] = (sums[index] ?? 0) + amount;
}
