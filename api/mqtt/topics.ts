// The topics of MQTT. A device publishes to `attestream/devices/<deviceId>/frames` and hears of each message on `…/results`; a gateway that
// sends for many devices does the same under `attestream/gateways/<name>`. Messages are those of frame-message.ts, answers their JSON.

const ROOT = 'attestream'
const FRAMES = new RegExp(`^${ROOT}/(devices/\\d{1,20}|gateways/[\\w.-]{1,64})/frames$`)

/** All topics on which frames come in, for a subscription. */
export const FRAME_TOPICS = [`${ROOT}/devices/+/frames`, `${ROOT}/gateways/+/frames`] as const

/** `devices/<deviceId>` or `gateways/<name>`. */
export function senderOf(topic: string): string | undefined {
  return FRAMES.exec(topic)?.[1]
}

export function framesTopic(sender: string): string {
  return `${ROOT}/${sender}/frames`
}

export function resultsTopic(sender: string): string {
  return `${ROOT}/${sender}/results`
}
