// Progress of long work: one line that is rewritten on a terminal, whole lines elsewhere.

export interface Progress {
  /** Ends the step before and starts one. */
  step(name: string): void
  /** What the step is doing now; `fraction` in [0, 1] draws a bar. */
  update(text: string, fraction?: number): void
  /** Ends the last step. */
  end(): void
}

const BAR_WIDTH = 24
const LINE_EVERY_MS = 5_000

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const isTerminal = stream.isTTY === true
  let name = ''
  let startedMs = 0
  let lastLineMs = 0

  const end = (): void => {
    if (name === '') return
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
    stream.write(`${isTerminal ? '\r\x1b[K' : ''}  ✓ ${name} (${seconds} s)\n`)
    name = ''
  }

  return {
    step(next) {
      end()
      name = next
      startedMs = lastLineMs = Date.now()
      stream.write(isTerminal ? `\r\x1b[K  … ${name}` : `  … ${name}\n`)
    },
    update(text, fraction) {
      const line = `  … ${name}: ${fraction === undefined ? '' : `${bar(fraction)} `}${text}`
      if (isTerminal) stream.write(`\r\x1b[K${line}`)
      else if (Date.now() - lastLineMs >= LINE_EVERY_MS) {
        lastLineMs = Date.now()
        stream.write(`${line}\n`)
      }
    },
    end,
  }
}

function bar(fraction: number): string {
  const filled = Math.round(Math.min(Math.max(fraction, 0), 1) * BAR_WIDTH)
  return `[${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}]`
}
