// JSON with integers beyond 2^53: a bigint is stored as the string "123n".

const INTEGER = /^-?\d+n$/

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) => (typeof entry === 'bigint' ? `${entry}n` : entry))
}

export function fromJson<T>(text: string): T {
  return JSON.parse(text, (_, entry: unknown) =>
    typeof entry === 'string' && INTEGER.test(entry) ? BigInt(entry.slice(0, -1)) : entry,
  ) as T
}
