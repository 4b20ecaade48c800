/**
 * Pays for presence: `unitsPerAnswer` for the right answer to the project's beacon, a random number that the project puts into its
 * config anew every epoch. The answer is the word at the beacon's place in a file of 2^32 words that grows from the device's seed.
 * Looked up or computed again, nobody can tell: docs/applets.md says what an answer proves.
 *
 * A wrong answer pays 0 and spends the beacon, so that nobody guesses twice. Rejects a further answer to the same beacon. The first
 * reading plants the file: its answer becomes the seed, and it pays 0.
 */
import { bits, require } from './lib/record'

@unmanaged
class Reading {
  /** The word asked for; in the first reading the seed, which the device chooses. */
  answer: u32
}

@unmanaged
class State {
  planted: bool
  seed: u32
  /** The last beacon answered; 0 until the first. */
  beacon: u32
}

@unmanaged
class Config {
  /** Not 0, and new every epoch. */
  beacon: u32
  @bits(24)
  unitsPerAnswer: u32
}

export const maxUnitsPerFrame: u64 = 100_000_000

export function verify(reading: Reading, state: State, config: Config): u32 {
  if (!state.planted) {
    state.planted = true
    state.seed = reading.answer
    return 0
  }
  require(config.beacon != state.beacon)
  state.beacon = config.beacon
  return reading.answer == wordAt(config.beacon, state.seed) ? config.unitsPerAnswer : 0
}

/** The file's word at `place`: neighbours have nothing in common, but anyone who knows the seed can compute it. */
function wordAt(place: u32, seed: u32): u32 {
  return mix(mix(place) ^ seed)
}

/** The final mix of MurmurHash3 (public domain): each bit of the input moves every bit of the output. No cryptographic hash. */
function mix(word: u32): u32 {
  word = (word ^ (word >> 16)) * 0x85eb_ca6b
  word = (word ^ (word >> 13)) * 0xc2b2_ae35
  return word ^ (word >> 16)
}
