// What each custom error of the contracts means to whoever sent the call: the code it gets, and what to do. Codes of their own
// have those that the engine or an operator acts on; the rest is CHAIN_REVERTED, told apart by `details.error`.

import type { errorsAbi } from '../../contracts/abi.ts'
import type { ErrorCode } from '../core/errors.ts'

export interface Refusal {
  readonly code: ErrorCode
  /** A sentence. */
  readonly remedy: string
}

const reverted = (remedy: string): Refusal => ({ code: 'CHAIN_REVERTED', remedy })
const role = (remedy: string): Refusal => ({ code: 'CHAIN_NOT_PERMITTED', remedy })

const MOVED_ON = reverted('The chain has moved on since the call was made: read its state and try again.')
const RECEIPT = reverted('Do not send the receipt again: prove the batch anew, or export its receipt from the engine.')
const SIGNED_AGAIN = reverted('Ask for a new signature over exactly these values.')
const TOKEN = reverted('Check balance, allowance and address with the token.')
const DEVICE_OWNER = role("Sign with the key of the device token's owner.")
const PROJECT_OWNER = role("Sign with the key of the project's owner.")

/** By name of the custom error. */
export const REFUSALS: Readonly<Partial<Record<(typeof errorsAbi)[number]['name'], Refusal>>> = {
  // projects and their changes
  AddressZero: reverted('Name an address.'),
  ChangeLapsed: reverted('Schedule the change again; it was not carried out in time.'),
  ChangeNotDue: reverted('Wait until the time that the error names.'),
  ChangeNotScheduled: reverted('Schedule the change first; it may have been carried out or cancelled already.'),
  CohortSizeInvalid: reverted('Choose a cohort of 4, 8, 16, 32 or 64 devices.'),
  ConfigHashOutOfField: reverted('Use the configHash that `attestream project config` prints.'),
  DelayTooLong: reverted('Choose a shorter delay.'),
  NotProjectGuardian: role("Sign with the key of the project's owner or guardian."),
  NotProjectOwner: PROJECT_OWNER,
  NotProposedOwner: role('Sign with the key of the proposed owner.'),
  ProjectUnknown: reverted('Check the project id.'),
  RewardPerUnitZero: reverted('Make a unit worth at least one wei.'),

  // applet versions
  AuditorUnchanged: reverted('Nothing: the account audits, or does not, already.'),
  DevelopmentSetupRefused: reverted('Publish the key of a ceremony: this registry takes none of a development setup.'),
  FrameSizeInvalid: reverted('Choose 1 to 64 readings a frame.'),
  GenesisOutOfField: reverted('Publish the hashes that follow from the manifest.'),
  KeyCoordinateOutOfField: reverted('Publish the verifying key of the manifest.'),
  KeyWithoutContribution: reverted(
    'Publish the key of a setup that somebody contributed to; with this one anybody can forge.',
  ),
  KeyLength: reverted("Publish the verifying key of a circuit for the project's cohort size."),
  KeyNotStored: reverted('Send the publication with more gas.'),
  KeyUnknown: reverted('Check the hash: no version was published with this key.'),
  MaxUnitsInvalid: reverted("Publish the applet's own maxUnitsPerFrame, from 1 to 2^38 - 1."),
  NotGuardian: role("Sign with the key of the registry's guardian."),
  NotAuditor: role('Sign with the key of an auditor of the registry.'),
  NothingImpossible: reverted('A key is stopped by a proof with a lane of 2^38 or more only.'),
  OtherPublication: reverted('Audit the version that is published under this number.'),
  SunsetTooLong: reverted('Choose a shorter sunset.'),
  VersionIsStopped: { code: 'VERSION_STOPPED', remedy: 'Publish and activate another version.' },
  VersionNotActive: { code: 'VERSION_NOT_ACTIVE', remedy: 'Activate the version, or use the one that is active.' },
  VersionNotAttested: reverted('Have an auditor of the registry attest the version first.'),
  VersionUnknown: reverted('Check the version: the project has published none with this number.'),

  // devices
  AdmissionExpired: SIGNED_AGAIN,
  AdmissionInvalid: reverted("Have the admission signed by the project's admitter, over exactly these values."),
  DeviceStatus: reverted('Confirm or rotate a suspended key first; a revoked device stays revoked.'),
  KeyChangeTooEarly: reverted('Wait until the time that the error names: a key changes once a day.'),
  KeyInvalid: reverted('Create keys with the device SDK.'),
  KeyTaken: reverted('Give every device a key of its own.'),
  NotDeviceOwner: DEVICE_OWNER,
  NotDeviceOwnerOrProject: role("Sign with the key of the device token's owner or of the project's owner."),
  OtherProject: reverted('Name devices of one project in a claim.'),
  RegistryFull: reverted('Use another registry: this one has given out all its numbers.'),
  ERC721IncorrectOwner: DEVICE_OWNER,
  ERC721InsufficientApproval: DEVICE_OWNER,
  ERC721InvalidApprover: DEVICE_OWNER,
  ERC721InvalidOperator: reverted('Approve an address other than zero.'),
  ERC721InvalidOwner: reverted('Name an address.'),
  ERC721InvalidReceiver: reverted('Send the token to an account that takes it.'),
  ERC721InvalidSender: reverted('Check the device id.'),
  ERC721NonexistentToken: reverted('Check the device id: none is registered with it.'),

  // anchors and settlements
  AnchorMismatch: RECEIPT,
  AnchorNotOpen: MOVED_ON,
  AnchorNotStale: reverted('Wait until the time that the error names, or let the sequencer void.'),
  AnchorsOpen: reverted('Settle or void what is anchored first.'),
  BatchNumberUnexpected: MOVED_ON,
  BatchRootOutOfField: reverted('Compute the root with this project: it is an element of the scalar field.'),
  BudgetExceeded: { code: 'PROJECT_BUDGET_EXCEEDED', remedy: 'Wait for the next window, or raise the budget.' },
  CoordinateOutOfField: RECEIPT,
  EscrowTooHigh: reverted('Fund less at once.'),
  EscrowTooLow: { code: 'PROJECT_ESCROW_LOW', remedy: 'Fund the project, or take less.' },
  IdentityRootNotRecent: MOVED_ON,
  KeyMismatch: RECEIPT,
  LaneFull: reverted('A slot is credited as much as it can ever be.'),
  LanesLength: RECEIPT,
  LedgerMismatch: MOVED_ON,
  NotSequencer: role("Sign with the key of the project's sequencer."),
  ProofInvalid: RECEIPT,
  CalldataLength: RECEIPT,
  ProofLength: RECEIPT,
  ProofOfManyInvalid: RECEIPT,
  ReceiptRefused: reverted('Leave out the receipt that the index names, and send the rest.'),
  SealLength: RECEIPT,
  SealOfOtherKey: RECEIPT,
  SignalOutOfField: RECEIPT,
  SnapshotsMissing: MOVED_ON,
  StateEpochDiffers: reverted('Upgrade the cohort to the version first; a cohort never goes back to an earlier State.'),
  TooManyUnsettledNumbers: { code: 'COHORT_NUMBERS_USED', remedy: 'Settle or void older batches first.' },
  UnitsAboveMaximum: RECEIPT,

  // claims and tokens
  ClaimExpired: SIGNED_AGAIN,
  ClaimSignatureInvalid: SIGNED_AGAIN,
  InvalidAccountNonce: SIGNED_AGAIN,
  NothingToClaim: reverted('Wait for a settlement: nothing is credited that was not claimed.'),
  CapExceeded: reverted('Mint less: the cap of the token is fixed.'),
  ERC20InsufficientAllowance: TOKEN,
  ERC20InsufficientBalance: TOKEN,
  ERC20InvalidApprover: TOKEN,
  ERC20InvalidReceiver: TOKEN,
  ERC20InvalidSender: TOKEN,
  ERC20InvalidSpender: TOKEN,
  ERC2612ExpiredSignature: SIGNED_AGAIN,
  ERC2612InvalidSigner: SIGNED_AGAIN,
  OwnableUnauthorizedAccount: role("Sign with the key of the token's owner."),
  SafeERC20FailedOperation: TOKEN,
  VotesExpiredSignature: SIGNED_AGAIN,
}
