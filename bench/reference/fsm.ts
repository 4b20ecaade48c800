/** A machine of 16 events: idle, armed, running, paused. Pays for each completed run; rejects an event that its state does not allow. */
import { reject } from '../../applets/lib/record'

@unmanaged
class Reading {
  e0: u8
  e1: u8
  e2: u8
  e3: u8
  e4: u8
  e5: u8
  e6: u8
  e7: u8
  e8: u8
  e9: u8
  e10: u8
  e11: u8
  e12: u8
  e13: u8
  e14: u8
  e15: u8
}

@unmanaged
class Config {
  unitsPerRun: u16
}

export const maxUnitsPerFrame: u64 = 100_000_000

const EVENTS: i32 = 16

export function verify(reading: Reading, config: Config): u32 {
  let state = 0
  let runs = 0
  for (let k = 0; k < EVENTS; k++) {
    const event = load<u8>(changetype<usize>(reading) + k)
    const next = after(state, event)
    if (state == 2 && next == 0) runs++
    state = next
  }
  return runs * config.unitsPerRun
}

/** Events: 0 nothing, 1 arm, 2 start, 3 pause, 4 stop. */
function after(state: i32, event: i32): i32 {
  switch (event) {
    case 0:
      return state
    case 1:
      if (state == 0) return 1
      break
    case 2:
      if (state == 1 || state == 3) return 2
      break
    case 3:
      if (state == 2) return 3
      break
    case 4:
      if (state != 0) return 0
      break
  }
  reject()
  return 0
}
