/** The served name that a request means: as it is written, or with ":latest" added or left out. Absent: the only one. */
export function resolveModel(models: readonly string[], asked: string | undefined): string | undefined {
  if (asked === undefined || asked === "") return models[0];
  const bare = asked.replace(/:latest$/, "");
  return models.find((name) => name.replace(/:latest$/, "") === bare);
}
