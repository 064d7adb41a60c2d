/** The folder of files that the collector and insight agents work on. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "../core/errors.ts";
import { fileError } from "../core/file.ts";
import type { CorpusFile } from "../workload/agent-program.ts";

/** A corpus is a handful of reports; more files than this is a wrong folder. */
const MAX_CORPUS_FILES = 200;
/** Enough of each file for any prompt. */
const MAX_CORPUS_FILE_CHARACTERS = 200_000;

/** Text files of one folder, not of its subfolders, in name order. */
export async function readCorpus(folder: string): Promise<readonly CorpusFile[]> {
  const names = await textFilesOf(folder);
  if (names.length === 0 || names.length > MAX_CORPUS_FILES)
    throw new OperatorError("CONFIG_INVALID", {
      message: `the corpus folder ${folder} has ${names.length} text files; 1 to ${MAX_CORPUS_FILES} are needed`,
      received: folder,
      nextStep: "give a folder with a few .txt, .md, .json or .csv files by --corpus",
    });
  return Promise.all(
    names.map(async (name) => ({
      name,
      text: (await readFile(join(folder, name), "utf8")).slice(0, MAX_CORPUS_FILE_CHARACTERS),
    })),
  );
}

async function textFilesOf(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && /\.(txt|md|json|csv|tsv|log)$/.test(entry.name))
      .map((entry) => entry.name)
      .sort();
  } catch (thrown) {
    throw fileError(thrown, folder);
  }
}
