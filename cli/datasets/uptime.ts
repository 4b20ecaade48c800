/**
 * Packets of wireless sensors as heartbeats, at the time the base station heard them. Lost packets are absent, repeated ones repeated.
 */
import type { Recording } from './recording.ts'
import { badCell, numberAt } from './rows.ts'

export const motes: Recording = {
  applet: 'uptime',
  header: 'timestamp_ms,node_id,seq,internal_temp_c,battery_v,humidity_pct,temp_c,par_raw,tsr_raw',
  source: 'ULB sensor network: one packet a minute from wireless motes in a library, 2006',
  createMapper: () => (row) => {
    const timeSec = Math.floor(numberAt(row, 0) / 1000)
    if (timeSec < 0 || timeSec > 0xffff_ffff) throw badCell(row, 0, 'a time in Unix milliseconds')
    return [{ device: `mote ${row.cells[1]}`, values: { timeSec } }]
  },
}
