// The steps of a plan (plan.ts), as the kernel carries them out.

import type { Digits } from './digits.ts'

/** Step of a plan. Rows are numbered as in the constraint system. */
export type Step =
  /** wire = (A·B − C) · factor, its own term left out. */
  | { readonly kind: 'solve'; readonly row: number; readonly wire: number; readonly factor: bigint }
  /** wire = (C / other side − the rest of the side it stands on) · factor, all of a group at once. */
  | { readonly kind: 'divide'; readonly divisions: readonly Division[] }
  /** If A of `zero` is 0, wire = C of `row` · factor, else wire = B of `zero` · zeroFactor. */
  | {
      readonly kind: 'isZero'
      readonly row: number
      readonly factor: bigint
      readonly zero: number
      readonly zeroSide: Side
      readonly zeroFactor: bigint
      readonly wire: number
    }
  /** The digits of the side's value (or of A·B − C) · factor + constant. */
  | {
      readonly kind: 'digits'
      readonly row: number
      readonly side: 'a' | 'product'
      readonly factor: bigint
      readonly constant: bigint
      readonly digits: Digits
    }
  /** Quotient and remainder of C · dividendFactor by the other side · divisorFactor. */
  | {
      readonly kind: 'quotient'
      readonly row: number
      readonly divisorSide: Side
      readonly divisorFactor: bigint
      readonly dividendFactor: bigint
      readonly quotient: readonly Part[]
      readonly remainder: readonly Part[]
    }

export type Side = 'a' | 'b'

export interface Division {
  readonly row: number
  readonly wire: number
  readonly side: Side
  readonly factor: bigint
}

/** A wire that holds one bit of a number, or all of it. */
export interface Part {
  readonly wire: number
  readonly bit: number | 'whole'
}
