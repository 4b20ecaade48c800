// JSON of the engine's records: bigint becomes a decimal string, everything else stays.
// The type JsonOf says so to the compiler, so that replies are checked against their schemas.

/** A value as its JSON form has it. */
export type JsonOf<T> = T extends bigint
  ? string
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? JsonOf<Item>[]
      : { -readonly [Key in keyof T]: JsonOf<T[Key]> }

/** Copies a record with every bigint as a decimal string. Bytes have no JSON form here: encode them as `0x…` before. */
export function toJson<T>(value: T): JsonOf<T> {
  return convert(value) as JsonOf<T>
}

function convert(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return value.map(convert)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, convert(item)]))
}
