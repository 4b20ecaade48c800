// What the engine makes of every custom error of the contracts, and of what a node itself refuses.

import { encodeErrorResult, RpcRequestError } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorsAbi } from '../../contracts/abi.ts'
import { REFUSALS } from '../../engine/chain/refusals.ts'
import { chainError } from '../../engine/chain/reverts.ts'
import { startAnvil, type Anvil } from '../../engine/chain/anvil.ts'
import { connect } from '../../engine/chain/connection.ts'

/** Errors that no call of ours can meet, and why. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  CheckpointUnorderedInsertion: 'block numbers and times do not go back',
  ECDSAInvalidSignature: 'recovery is tried without reverting',
  ECDSAInvalidSignatureLength: 'recovery is tried without reverting',
  ECDSAInvalidSignatureS: 'recovery is tried without reverting',
  ERC20ExceededSafeSupply: 'the cap of the token is far below 2^208',
  ERC5805FutureLookup: 'votes of the past are read by the governor only',
  InvalidShortString: 'name and version are constants',
  OwnableInvalidOwner: 'the token is deployed with an owner',
  ReentrancyGuardReentrantCall: 'met by a token that calls back, not by its caller',
  SafeCastOverflowedUintDowncast: 'votes and supplies fit: the cap is far below 2^208',
  StringTooLong: 'name and version are constants',
}

const SAMPLES: Readonly<Record<string, unknown>> = {
  bool: true,
  address: `0x${'11'.repeat(20)}`,
  bytes: '0x',
  bytes4: '0x11223344',
  bytes32: `0x${'22'.repeat(32)}`,
  string: 'text',
  uint8: 1,
  uint40: 1,
  uint48: 1,
  uint64: 1n,
  uint256: 1n,
}

describe('every custom error of the contracts', () => {
  const names = errorsAbi.map(({ name }) => name)

  it('is told with its code and a remedy, or no call can meet it', () => {
    const unmapped = names.filter((name) => !(name in REFUSALS) && !(name in UNREACHABLE))
    expect(unmapped).toEqual([])
    const twice = names.filter((name) => name in REFUSALS && name in UNREACHABLE)
    const gone = [...Object.keys(REFUSALS), ...Object.keys(UNREACHABLE)].filter(
      (name) => !names.includes(name as never),
    )
    expect({ twice, gone }).toEqual({ twice: [], gone: [] })
  })

  it.each(errorsAbi.filter(({ name }) => name in REFUSALS))('$name is recognised in what a node returns', (item) => {
    const args = (item.inputs as readonly { readonly type: string }[]).map(({ type }) => SAMPLES[type])
    const data = encodeErrorResult({ abi: [item] as never, errorName: item.name, args } as never)
    const { code, remedy } = REFUSALS[item.name]!
    const error = chainError('try', refusal('execution reverted', data))
    expect(error).toMatchObject({ code, details: { error: item.name } })
    expect(error.message).toContain(item.name)
    expect(error.message).toContain(remedy)
  })

  it('inside a refused receipt is told, too', () => {
    const reason = encodeErrorResult({ abi: errorsAbi, errorName: 'ProofOfManyInvalid', args: [2n] })
    const data = encodeErrorResult({ abi: errorsAbi, errorName: 'ReceiptRefused', args: [5n, reason] })
    const error = chainError('settle 7 batches', refusal('execution reverted', data))
    expect(error.message).toContain('ReceiptRefused(5, ProofOfManyInvalid(2))')
  })
})

describe('what a node refuses', () => {
  it.each([
    ['insufficient funds for gas * price + value', 'CHAIN_FUNDS_LOW'],
    ['gas required exceeds allowance (0)', 'CHAIN_FUNDS_LOW'],
    ['replacement transaction underpriced', 'CHAIN_FEE_LOW'],
    ['transaction underpriced: tip needed 1, tip permitted 0', 'CHAIN_FEE_LOW'],
    ['max fee per gas less than block base fee', 'CHAIN_FEE_LOW'],
    ['nonce too low: next nonce 5, tx nonce 4', 'CHAIN_NONCE_CONFLICT'],
    ['nonce too high', 'CHAIN_NONCE_CONFLICT'],
    ['already known', 'CHAIN_NONCE_CONFLICT'],
    ['the database is locked', 'CHAIN_UNAVAILABLE'],
  ])('"%s" is %s', (message, code) => {
    expect(chainError('try', refusal(message))).toMatchObject({ code, details: { action: 'try' } })
  })
})

describe('a real node', () => {
  let anvil: Anvil
  beforeAll(async () => void (anvil = await startAnvil()))
  afterAll(() => anvil?.close())

  it('tells an account without money, and which one', async () => {
    const { rpcUrl, chainId, accounts } = anvil
    const poor = `0x${'77'.repeat(32)}` as const
    const { send, operator } = await connect({ rpcUrl, chainId, privateKey: poor })
    const sending = send({ action: 'say nothing', to: accounts[0]!.address, data: '0x' })
    await expect(sending).rejects.toMatchObject({ code: 'CHAIN_FUNDS_LOW', details: { from: operator } })
    await expect(sending).rejects.toThrow(operator)
  })
})

function refusal(message: string, data?: string): Error {
  return new RpcRequestError({ body: {}, error: { code: 3, message, data }, url: 'http://127.0.0.1:1' })
}
