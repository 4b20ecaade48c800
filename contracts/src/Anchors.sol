// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PoseidonT3} from "poseidon/PoseidonT3.sol";
import {AppletRegistry} from "./AppletRegistry.sol";
import {DeviceRegistry} from "./DeviceRegistry.sol";
import {Escrow} from "./Escrow.sol";
import {ProjectRegistry} from "./ProjectRegistry.sol";

/// @title Anchors
/// @notice The ledger pages of all cohorts, and the batches that are anchored on them and not settled yet. An anchor fixes all that
/// its batch is judged by and reserves the most it can cost, so nothing that changes later strands it.
abstract contract Anchors is Escrow {
    /// All that a batch is judged by, fixed when it is anchored. Only its hash is stored.
    struct Snapshot {
        uint256 batchRoot;
        uint256 identityRoot;
        uint256 configHash;
        uint256 version;
        uint256 anchorTime;
        bytes32 daPointer;
    }

    struct BatchAnchor {
        uint256 cohort;
        uint256 expectedNumber;
        uint256 batchRoot;
        uint256 identityRoot;
        bytes32 daPointer;
    }

    struct Cohort {
        uint256 ledger;
        // one storage slot
        uint64 nextToAnchor;
        uint64 nextToSettle;
        uint32 stateEpoch;
        uint32 openAnchors;
        bool started;
        /// Size of the ring of anchors: 0, then a power of two, doubled when the unsettled numbers fill it.
        uint8 places;
        /// Of the unsettled numbers, each at its number modulo `places`: anchors use storage again.
        mapping(uint256 place => bytes32) anchors;
        /// Units ever credited, four 64-bit lanes a word.
        mapping(uint256 word => uint256) lanes;
        /// Units already claimed, packed like the lanes.
        mapping(uint256 word => uint256) claimed;
    }

    /// Order of the scalar field.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @notice Anybody may void once the oldest unsettled anchor is older than this.
    uint256 public constant STALE_AFTER_SEC = 7 days;
    /// @notice Numbers from a cohort's oldest open anchor to its next, voided ones included: bounds the gas of voiding them all, or
    /// a sequencer could lock a cohort and what it reserved by anchoring and voiding.
    uint256 public constant MAX_UNSETTLED_NUMBERS = 32;
    /// Takes the place of a voided anchor: not zero, so that the next anchor there writes to used storage.
    bytes32 internal constant VOID = bytes32(uint256(1));

    /// @notice Versions that batches are anchored under.
    AppletRegistry public immutable applets;
    /// @notice Identity roots that batches are anchored with, and the owners of the devices.
    DeviceRegistry public immutable devices;

    mapping(uint256 projectId => mapping(uint256 cohort => Cohort)) internal _cohorts;

    /// @notice A batch is anchored under the cohort's next number.
    event Anchored(uint256 indexed projectId, uint256 indexed cohort, uint256 indexed number, Snapshot snapshot);
    /// @notice All open anchors from `fromNumber` to before `untilNumber` are void.
    event Voided(uint256 indexed projectId, uint256 indexed cohort, uint256 fromNumber, uint256 untilNumber);
    /// @notice A cohort keeps its sequences and has the States of the version's genesis.
    event CohortUpgraded(
        uint256 indexed projectId, uint256 indexed cohort, uint256 version, uint256 ledgerBefore, uint256 ledgerAfter
    );

    /// @notice Only the project's sequencer may; nobody else may void before there is a reason to.
    error NotSequencer(uint256 projectId, address caller);
    /// @notice Another number is next.
    error BatchNumberUnexpected(uint256 actual, uint256 expected);
    /// @notice A batch root is below the field's order.
    error BatchRootOutOfField(uint256 batchRoot);
    /// @notice Neither the cohort's current root nor one replaced a short while ago.
    error IdentityRootNotRecent(uint256 identityRoot);
    /// @notice The cohort's oldest open batch has to settle or be voided first.
    error TooManyUnsettledNumbers(uint256 limit);
    /// @notice What is given is not what is anchored under the number.
    error AnchorMismatch(uint256 number, bytes32 actual, bytes32 stored);
    /// @notice The number is settled or void, or not anchored yet.
    error AnchorNotOpen(uint256 number, uint256 nextToSettle, uint256 nextToAnchor);
    /// @notice A stranger can void the batch from `staleAtTime` on.
    error AnchorNotStale(uint256 number, uint256 staleAtTime);
    /// @notice A cohort is upgraded when nothing of it is open.
    error AnchorsOpen(uint256 openAnchors);
    /// @notice One snapshot is needed for each open anchor that is voided.
    error SnapshotsMissing(uint256 actual, uint256 expected);
    /// @notice The version has another State than the cohort; see `upgradeCohort`.
    error StateEpochDiffers(uint256 actual, uint256 expected);
    /// @notice The two hashes do not open the cohort's ledger.
    error LedgerMismatch(uint256 actual, uint256 stored);

    constructor(AppletRegistry applets_, DeviceRegistry devices_) {
        applets = applets_;
        devices = devices_;
    }

    /// @notice Anchors the cohort's next batch and reserves the most it can cost. The chain sets config and time, not the sequencer.
    /// @param expectedNumber The number the sequencer believes is next: a resent transaction reverts instead of anchoring twice.
    /// @param identityRoot Current, or replaced at most DeviceRegistry.ROOT_WINDOW_BLOCKS ago.
    /// @param daPointer SHA-256 of the DA object; checked by whoever reads it, not by the chain.
    function anchor(
        uint256 projectId,
        uint256 cohort,
        uint256 expectedNumber,
        uint256 batchRoot,
        uint256 identityRoot,
        bytes32 daPointer,
        uint256 version
    ) external {
        (uint256 configHash, uint256 stateEpoch) = _anchorTerms(projectId, version, 1);
        _append(
            projectId,
            version,
            configHash,
            stateEpoch,
            BatchAnchor(cohort, expectedNumber, batchRoot, identityRoot, daPointer)
        );
    }

    /// @notice Anchors several batches of one project and version, in order; of one cohort or of many. All or none.
    function anchorMany(uint256 projectId, uint256 version, BatchAnchor[] calldata batches) external {
        (uint256 configHash, uint256 stateEpoch) = _anchorTerms(projectId, version, batches.length);
        for (uint256 i = 0; i < batches.length; i++) {
            _append(projectId, version, configHash, stateEpoch, batches[i]);
        }
    }

    /// @notice Voids every unsettled anchor from `number` on; releases what they reserved; the ledger stays; numbers are not reused.
    /// The sequencer may at any time; anybody may from an anchor on whose version is stopped, and all once the oldest is stale.
    /// @param snapshots Of the anchors from `number` to the last, in order (from their Anchored events); void ones left out.
    function voidFrom(uint256 projectId, uint256 cohort, uint256 number, Snapshot[] calldata snapshots) external {
        Cohort storage page = _cohorts[projectId][cohort];
        (uint256 end, uint256 places) = (page.nextToAnchor, page.places);
        _checkOpen(page, number);
        _checkMayVoid(projectId, page, number, snapshots);

        uint256 releasedUnits;
        uint256 seen;
        for (uint256 i = number; i < end; i++) {
            bytes32 stored = page.anchors[i % places];
            if (stored == VOID) continue;
            if (seen == snapshots.length) revert SnapshotsMissing(snapshots.length, seen + 1);
            _checkSnapshot(i, stored, snapshots[seen]);
            (uint256 reservedUnits,) = applets.voidTerms(projectId, snapshots[seen].version);
            releasedUnits += reservedUnits;
            page.anchors[i % places] = VOID;
            seen++;
        }
        if (seen != snapshots.length) revert SnapshotsMissing(snapshots.length, seen);
        page.openAnchors -= uint32(seen);
        if (number == page.nextToSettle) page.nextToSettle = uint64(end);
        _release(projectId, releasedUnits, 0);
        emit Voided(projectId, cohort, number, end);
    }

    /// @notice Moves a cohort on to a version whose State differs: every sequence stays, so no old frame can be counted again, and
    /// every State starts from the version's genesis. By the sequencer, when nothing is open.
    /// @param sequencesHash Opens the cohort's ledger together with `statesHash`.
    function upgradeCohort(
        uint256 projectId,
        uint256 cohort,
        uint256 version,
        uint256 sequencesHash,
        uint256 statesHash
    ) external {
        (address sequencer,) = projects.anchorTerms(projectId);
        if (msg.sender != sequencer) revert NotSequencer(projectId, msg.sender);
        Cohort storage page = _cohorts[projectId][cohort];
        if (page.openAnchors != 0) revert AnchorsOpen(page.openAnchors);
        (, uint256 stateEpoch) = applets.anchorTerms(projectId, version);
        if (stateEpoch <= page.stateEpoch) revert StateEpochDiffers(stateEpoch, page.stateEpoch + 1);
        uint256 ledgerBefore = page.ledger;
        uint256 opened = PoseidonT3.hash([sequencesHash, statesHash]);
        if (opened != ledgerBefore) revert LedgerMismatch(opened, ledgerBefore);
        (, uint256 genesisStatesHash) = applets.genesis(projectId, version);
        page.ledger = PoseidonT3.hash([sequencesHash, genesisStatesHash]);
        page.stateEpoch = uint32(stateEpoch);
        emit CohortUpgraded(projectId, cohort, version, ledgerBefore, page.ledger);
    }

    /// @notice Hash of the snapshot anchored under a number that is open; 0 when it is settled, voided or never was anchored, which
    /// the events tell.
    function anchorHash(uint256 projectId, uint256 cohort, uint256 number) external view returns (bytes32 hash) {
        Cohort storage page = _cohorts[projectId][cohort];
        if (number < page.nextToSettle || number >= page.nextToAnchor) return 0;
        hash = page.anchors[number % page.places];
        if (hash == VOID) return 0;
    }

    /// @dev Checks who anchors, and reserves for `count` batches.
    function _anchorTerms(uint256 projectId, uint256 version, uint256 count)
        private
        returns (uint256 configHash, uint256 stateEpoch)
    {
        address sequencer;
        uint256 reservedUnits;
        (sequencer, configHash) = projects.anchorTerms(projectId);
        if (msg.sender != sequencer) revert NotSequencer(projectId, msg.sender);
        (reservedUnits, stateEpoch) = applets.anchorTerms(projectId, version);
        _reserve(projectId, reservedUnits * count);
    }

    /// @dev Stores the anchor under the next number. A cohort with nothing settled and nothing open starts at its version's genesis.
    function _append(
        uint256 projectId,
        uint256 version,
        uint256 configHash,
        uint256 stateEpoch,
        BatchAnchor memory batch
    ) private {
        if (batch.batchRoot >= R) revert BatchRootOutOfField(batch.batchRoot);
        if (!devices.isRecentRoot(projectId, batch.cohort, batch.identityRoot)) {
            revert IdentityRootNotRecent(batch.identityRoot);
        }
        Cohort storage page = _cohorts[projectId][batch.cohort];
        uint256 number = batch.expectedNumber;
        if (number != page.nextToAnchor) revert BatchNumberUnexpected(number, page.nextToAnchor);
        if (page.openAnchors == 0) {
            page.nextToSettle = uint64(number); // whatever lies before is settled or void
            if (!page.started) {
                (uint256 sequencesHash, uint256 statesHash) = applets.genesis(projectId, version);
                page.ledger = PoseidonT3.hash([sequencesHash, statesHash]);
                page.stateEpoch = uint32(stateEpoch);
            }
        }
        if (page.stateEpoch != stateEpoch) revert StateEpochDiffers(stateEpoch, page.stateEpoch);
        if (number - page.nextToSettle == page.places) _growRing(page, number);
        page.nextToAnchor++;
        page.openAnchors++;
        Snapshot memory snapshot =
            Snapshot(batch.batchRoot, batch.identityRoot, configHash, version, block.timestamp, batch.daPointer);
        page.anchors[number % page.places] = keccak256(abi.encode(snapshot));
        emit Anchored(projectId, batch.cohort, number, snapshot);
    }

    /// @dev Doubles a ring that the unsettled numbers before `end` fill, and moves those whose place is another one in it. So each
    /// unsettled number has a place that no other one has, and what it holds was written for that number.
    function _growRing(Cohort storage page, uint256 end) private {
        uint256 places = page.places;
        if (places == MAX_UNSETTLED_NUMBERS) revert TooManyUnsettledNumbers(MAX_UNSETTLED_NUMBERS);
        page.places = places == 0 ? 1 : uint8(2 * places);
        for (uint256 number = page.nextToSettle; number < end; number++) {
            uint256 place = number % (2 * places);
            if (place >= places) page.anchors[place] = page.anchors[place - places];
        }
    }

    function _checkMayVoid(uint256 projectId, Cohort storage page, uint256 number, Snapshot[] calldata snapshots)
        private
        view
    {
        (address sequencer,) = projects.anchorTerms(projectId);
        if (msg.sender == sequencer) return;
        if (snapshots.length == 0) revert NotSequencer(projectId, msg.sender);
        // nothing void lies before the first snapshot, so it is the anchor of `number`, as the caller checks
        (, bool isStopped) = applets.voidTerms(projectId, snapshots[0].version);
        if (isStopped) return;
        if (number != page.nextToSettle) revert NotSequencer(projectId, msg.sender);
        uint256 staleAt = snapshots[0].anchorTime + STALE_AFTER_SEC;
        if (block.timestamp < staleAt) revert AnchorNotStale(number, staleAt);
    }

    /// @dev A number neither settled nor beyond what is anchored; its anchor may still be void.
    function _checkOpen(Cohort storage page, uint256 number) internal view {
        if (number < page.nextToSettle || number >= page.nextToAnchor) {
            revert AnchorNotOpen(number, page.nextToSettle, page.nextToAnchor);
        }
    }

    function _checkSnapshot(uint256 number, bytes32 stored, Snapshot calldata snapshot) internal pure {
        bytes32 actual = keccak256(abi.encode(snapshot));
        if (actual != stored) revert AnchorMismatch(number, actual, stored);
    }
}
