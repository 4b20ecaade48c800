import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createEmbeddedDa, daPointer } from '../../../engine/da/embedded.ts'
import { pruneObjects } from '../../../engine/retention.ts'
import { newTask, temporaryDirectory, testStore } from '../scene.ts'

const BYTES = Uint8Array.of(1, 2, 3)
const NOTHING = new Set<never>()

async function scene() {
  const directory = join(temporaryDirectory(), 'da')
  const da = await createEmbeddedDa(directory)
  const age = (pointer: string, ms: number) => utimesSync(join(directory, `${pointer}.batch`), ms / 1000, ms / 1000)
  return { directory, da, age }
}

describe('the embedded DA', () => {
  it('gives bytes back under their SHA-256, also after a restart', async () => {
    const { directory, da } = await scene()
    const pointer = await da.put(BYTES)
    expect(pointer).toBe(`0x${createHash('sha256').update(BYTES).digest('hex')}`)
    expect(pointer).toBe(daPointer(BYTES))
    expect(await da.get(pointer)).toEqual(BYTES)
    expect(await (await createEmbeddedDa(directory)).get(pointer)).toEqual(BYTES)
    expect(await da.get(pointer.toUpperCase().replace('0X', '0x') as typeof pointer)).toEqual(BYTES)
    expect(await da.get(await da.put(new Uint8Array()))).toEqual(new Uint8Array())
  })

  it('keeps one object of the same bytes, also when they are put at the same time', async () => {
    const { directory, da } = await scene()
    const bytes = new Uint8Array(100_000).fill(7)
    const pointers = await Promise.all(Array.from({ length: 10 }, () => da.put(bytes)))
    expect(new Set(pointers)).toEqual(new Set([daPointer(bytes)]))
    expect(readdirSync(directory)).toEqual([`${daPointer(bytes)}.batch`])
    expect(await da.get(pointers[0]!)).toEqual(bytes)
  })

  it('tells unknown, pruned and malformed pointers apart', async () => {
    const { da, age } = await scene()
    const pointer = await da.put(BYTES)
    age(pointer, 1000)
    expect(await da.prune(2000, NOTHING)).toEqual([pointer])
    await expect(da.get(pointer)).rejects.toMatchObject({ code: 'DA_OBJECT_PRUNED' })
    await expect(da.get(daPointer(Uint8Array.of(9)))).rejects.toMatchObject({ code: 'DA_OBJECT_UNKNOWN' })
    await expect(da.get('0x../../etc/passwd')).rejects.toMatchObject({ code: 'HEX_INVALID' })
    await da.put(BYTES)
    expect(await da.get(pointer)).toEqual(BYTES)
  })

  it('refuses to hand out damaged bytes, and mends them when they are put again', async () => {
    const { directory, da } = await scene()
    const pointer = await da.put(BYTES)
    for (const damage of [Uint8Array.of(1, 2, 4), BYTES.subarray(0, 2), new Uint8Array()]) {
      writeFileSync(join(directory, `${pointer}.batch`), damage)
      await expect(da.get(pointer)).rejects.toMatchObject({ code: 'DA_OBJECT_CORRUPT' })
    }
    await da.put(BYTES)
    expect(await da.get(pointer)).toEqual(BYTES)
  })

  it('does not call an object unknown that it cannot read', async () => {
    const { directory, da } = await scene()
    const pointer = daPointer(BYTES)
    mkdirSync(join(directory, `${pointer}.batch`))
    await expect(da.get(pointer)).rejects.toThrow(/EISDIR/)
    chmodSync(directory, 0o700)
  })

  it('never shows half an object, and clears away what a killed process had half written', async () => {
    const { directory, da } = await scene()
    const pointer = daPointer(BYTES)
    writeFileSync(join(directory, `${pointer}.batch.0.tmp`), BYTES.subarray(0, 1))
    await expect(da.get(pointer)).rejects.toMatchObject({ code: 'DA_OBJECT_UNKNOWN' })
    await createEmbeddedDa(directory)
    expect(readdirSync(directory)).toEqual([])
  })

  it('prunes what is older than the limit and not kept', async () => {
    const { da, age } = await scene()
    const [old, kept, young] = await Promise.all([1, 2, 3].map((byte) => da.put(Uint8Array.of(byte))))
    age(old!, 1000)
    age(kept!, 1000)
    age(young!, 2000)
    expect(await da.prune(2000, new Set([kept!]))).toEqual([old])
    for (const pointer of [kept!, young!]) expect(await da.get(pointer)).toHaveLength(1)
    expect(await da.prune(2000, new Set([kept!]))).toEqual([])
  })
})

describe('retention', () => {
  it('keeps applets, unsettled batches and the latest settled batch of each cohort, whatever their age', async () => {
    const { da, age } = await scene()
    const { store } = testStore()
    const put = async (name: number, state: 'settled' | 'proven') => {
      const pointer = await da.put(Uint8Array.of(name))
      age(pointer, 1000)
      store.putTask(newTask(name, { state, daPointer: pointer }), [])
      return pointer
    }
    const applet = await da.put(Uint8Array.of(0))
    age(applet, 1000)
    store.putApplet(applet, Uint8Array.of(0), 0)
    const oldest = await put(1, 'settled')
    await put(2, 'settled')
    await put(3, 'proven')
    expect(await pruneObjects(store, da, 2000)).toEqual([oldest])
  })
})
