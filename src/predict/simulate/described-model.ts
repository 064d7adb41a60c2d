/**
 * Models whose file is not at hand: their published configurations as the facts that a GGUF header
 * would give, so that memory and time go the same way as for a real file. What a configuration does
 * not say, how many bits each matrix has, is spread evenly, and that stands among the caveats.
 */
import { BYTES_PER_GIB } from "../../core/units.ts";
import type { LayerFacts, ModelFacts } from "../gguf/model-facts.ts";
import type { WeightPlaces } from "../gguf/weight-places.ts";

interface Description {
  /** As `--model` takes it. */
  readonly name: string;
  /** Beginnings of file names that hold this model in this size. */
  readonly files: readonly string[];
  readonly architecture: string;
  readonly mainTypeName: string;
  readonly bytes: WeightBytes;
  readonly layers: number;
  readonly embeddingWidth: number;
  readonly feedForwardWidth: number;
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  readonly vocabularyTokens: number;
  readonly trainedContextTokens: number;
  readonly window?: {
    readonly tokens: number;
    /** Every so-many-th layer sees everything; these have heads of their own. */
    readonly fullEvery: number;
    readonly fullKvHeads: number;
    readonly fullHeadWidth: number;
  };
  readonly experts?: { readonly count: number; readonly used: number; readonly width: number };
  /** What is assumed beside the configuration, as a sentence. */
  readonly caveat: string;
}

/** `tied`: the input embedding serves as the output matrix too, so that a step reads it. */
type WeightBytes =
  | { readonly kind: "tied"; readonly total: number }
  | { readonly kind: "apart"; readonly layers: number; readonly output: number; readonly input: number };

/** Llama 3.1 8B's published configuration. */
const LLAMA_8B = {
  architecture: "llama",
  layers: 32,
  embeddingWidth: 4096,
  feedForwardWidth: 14_336,
  queryHeads: 32,
  kvHeads: 8,
  headWidth: 128,
  vocabularyTokens: 128_256,
  trainedContextTokens: 131_072,
} as const;

const EMBEDDING_8B = 128_256 * 4096;

const DESCRIPTIONS: readonly Description[] = [
  {
    ...LLAMA_8B,
    name: "llama-8b-q4",
    files: [],
    mainTypeName: "Q4_K",
    // The output in 6.5625 bits, the input in 4.5, together with the layers the 4.58 GiB of the usual file.
    bytes: {
      kind: "apart",
      layers: 4.62e9 - (EMBEDDING_8B * 6.5625) / 8,
      output: (EMBEDDING_8B * 6.5625) / 8,
      input: (EMBEDDING_8B * 4.5) / 8,
    },
    caveat: "its weights are those of the usual Q4_K_M file, 4.58 GiB",
  },
  {
    ...LLAMA_8B,
    name: "llama-8b-bf16",
    files: [],
    mainTypeName: "BF16",
    bytes: { kind: "apart", layers: 2 * 6_979_588_096, output: 2 * EMBEDDING_8B, input: 2 * EMBEDDING_8B },
    caveat: "its weights are two bytes for each published parameter",
  },
  {
    name: "gemma3",
    files: [],
    architecture: "gemma3",
    mainTypeName: "Q4_K",
    bytes: { kind: "tied", total: 2.49e9 },
    layers: 34,
    embeddingWidth: 2560,
    feedForwardWidth: 10_240,
    queryHeads: 8,
    kvHeads: 4,
    headWidth: 256,
    vocabularyTokens: 262_208,
    trainedContextTokens: 131_072,
    window: { tokens: 1024, fullEvery: 6, fullKvHeads: 4, fullHeadWidth: 256 },
    caveat:
      "its weights are the 2.49 GB of the usual Q4_K_M file of the 4B, with as many bits in every matrix",
  },
  {
    name: "gemma4-26b-a4b-q4",
    files: ["gemma-4-26B-A4B-it-UD-IQ4_XS"],
    architecture: "gemma4",
    mainTypeName: "IQ4_XS",
    bytes: { kind: "tied", total: 12.97 * BYTES_PER_GIB },
    layers: 30,
    embeddingWidth: 2816,
    feedForwardWidth: 2112,
    queryHeads: 16,
    kvHeads: 8,
    headWidth: 256,
    vocabularyTokens: 262_144,
    trainedContextTokens: 262_144,
    window: { tokens: 1024, fullEvery: 6, fullKvHeads: 2, fullHeadWidth: 512 },
    experts: { count: 128, used: 8, width: 704 },
    caveat:
      "its weights are the 12.97 GiB of study 003, with as many bits in every matrix; 8 of 128 experts are read for a token",
  },
];

export const DESCRIBED_MODELS: readonly string[] = DESCRIPTIONS.map(({ name }) => name);

/** By the name itself, or by the name of a file that would hold it. */
export function describedModel(nameOrFile: string): ModelFacts | undefined {
  const file = nameOrFile.split(/[/\\]/).at(-1) ?? nameOrFile;
  const found = DESCRIPTIONS.find(
    ({ name, files }) => name === nameOrFile.toLowerCase() || files.some((start) => file.startsWith(start)),
  );
  return found === undefined ? undefined : factsOf(found);
}

function factsOf(model: Description): ModelFacts {
  const isFull = (layer: number): boolean =>
    model.window === undefined || layer % model.window.fullEvery === model.window.fullEvery - 1;
  const widths = model.window ?? { fullKvHeads: model.kvHeads, fullHeadWidth: model.headWidth };
  const layers = Array.from({ length: model.layers }, (_, layer): LayerFacts => {
    const elements = isFull(layer)
      ? widths.fullKvHeads * widths.fullHeadWidth
      : model.kvHeads * model.headWidth;
    return { cache: { keyElements: elements, valueElements: elements, windowed: !isFull(layer) } };
  });
  const { experts } = model;
  return {
    path: model.name,
    architecture: model.architecture,
    name: model.name,
    layers,
    draftLayers: 0,
    weights: weightsOf(model, layers, isFull),
    mainTypeName: model.mainTypeName,
    embeddingWidth: model.embeddingWidth,
    feedForwardWidth: model.feedForwardWidth,
    queryHeads: model.queryHeads,
    queryElements: model.queryHeads * widths.fullHeadWidth,
    stateInnerWidth: 0,
    vocabularyTokens: model.vocabularyTokens,
    trainedContextTokens: model.trainedContextTokens,
    ...(model.window === undefined ? {} : { windowTokens: model.window.tokens }),
    latentAttention: false,
    ...(experts === undefined
      ? {}
      : { experts: { count: experts.count, used: experts.used, feedForwardWidth: experts.width } }),
    caveats: [
      `no file of ${model.name} was read: its shape is the published configuration, and ${model.caveat}`,
    ],
  };
}

function weightsOf(
  model: Description,
  layers: readonly LayerFacts[],
  isFull: (layer: number) => boolean,
): WeightPlaces {
  const { embeddingWidth, queryHeads, headWidth, experts, window, bytes } = model;
  const expertElements = experts === undefined ? 0 : experts.count * 3 * embeddingWidth * experts.width;
  const elementsOf = ({ cache }: LayerFacts, layer: number): number => {
    const queryElements = queryHeads * (isFull(layer) ? (window?.fullHeadWidth ?? headWidth) : headWidth);
    // Queries and what they are turned into, keys and values, and the three matrices of the feed-forward part.
    const attention = 2 * embeddingWidth * (queryElements + (cache?.keyElements ?? 0));
    return attention + 3 * embeddingWidth * model.feedForwardWidth + expertElements;
  };
  const layerElements = layers.map(elementsOf);
  const embedding = model.vocabularyTokens * embeddingWidth;
  const inLayers = layerElements.reduce((sum, elements) => sum + elements, 0);
  const perElement = bytes.kind === "tied" ? bytes.total / (inLayers + embedding) : bytes.layers / inLayers;
  const tiedBytes = bytes.kind === "tied" ? perElement * embedding : 0;
  return {
    inputBytes: bytes.kind === "tied" ? tiedBytes : bytes.input,
    outputBytes: bytes.kind === "tied" ? 0 : bytes.output,
    tiedOutputBytes: tiedBytes,
    layerBytes: layerElements.map((elements) => elements * perElement),
    layerExpertBytes: layers.map(() => expertElements * perElement),
    totalBytes: bytes.kind === "tied" ? bytes.total : bytes.layers + bytes.output + bytes.input,
    elements: inLayers + embedding * (bytes.kind === "tied" ? 1 : 2),
    layerElements,
    layerExpertElements: layers.map(() => expertElements),
  };
}
