// What a worker thread keeps in memory of the files it has worked with.

/** What is made of files, by their path. */
export interface KeptByPath<T> {
  get(path: string): Promise<T>
  forget(path: string): void
}

/** Keeps everything: the pool ends the thread when its keys take too much. */
export function createKeptByPath<T>(load: (path: string) => Promise<T>): KeptByPath<T> {
  const kept = new Map<string, Promise<T>>()
  return {
    get(path) {
      const loading = kept.get(path) ?? load(path)
      kept.set(path, loading)
      return loading
    },
    forget: (path) => void kept.delete(path),
  }
}
