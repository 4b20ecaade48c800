// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {PoseidonT3} from "poseidon-solidity/PoseidonT3.sol";
import {AppletRegistry} from "./AppletRegistry.sol";
import {DeviceRegistry} from "./DeviceRegistry.sol";
import {Groth16Verifier} from "./Groth16Verifier.sol";
import {ProjectRegistry} from "./ProjectRegistry.sol";

/// @title Settlement
/// @notice The ledger pages of all cohorts: anchors batches, settles each exactly once and in order against a proof, credits
/// units to lanes, pays claims. Per project, (credited + reserved) units × reward per unit never exceed what was funded.
/// @dev Reward tokens must not change balances by themselves (no rebasing); a fee on transfer is the funder's loss.
contract Settlement is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// All that a batch is judged by, fixed when it is anchored. Only its hash is stored.
    struct Snapshot {
        uint256 batchRoot;
        uint256 identityRoot;
        uint256 configHash;
        uint256 version;
        uint256 anchorTime;
        bytes32 daPointer;
    }

    struct Receipt {
        uint256 projectId;
        uint256 cohort;
        uint256 number;
        Snapshot snapshot;
        uint256 ledgerAfter;
        uint256[] lanes;
        bytes seal;
        address payee;
    }

    struct Cohort {
        uint256 ledger;
        // one storage slot
        uint64 nextToAnchor;
        uint64 nextToSettle;
        uint32 openAnchors;
        bool started;
        mapping(uint256 number => bytes32) anchors;
        /// Units ever credited, four 64-bit lanes a word.
        mapping(uint256 word => uint256) lanes;
        /// Units already claimed, packed like the lanes.
        mapping(uint256 word => uint256) claimed;
    }

    struct Account {
        /// Funded minus withdrawn; claims do not lower it.
        uint256 escrowWei;
        uint128 reservedUnits;
        /// Ever credited; claims do not lower it.
        uint128 creditedUnits;
    }

    /// Order of the scalar field.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant SEAL_BYTES = 260;
    uint256 private constant FIXED_SIGNALS = 8;
    /// @notice Anybody may void once the oldest unsettled anchor is older than this.
    uint256 public constant STALE_AFTER_SEC = 7 days;
    /// @notice Unsettled anchors a cohort may have: bounds the gas of voiding them all.
    uint256 public constant MAX_OPEN_ANCHORS = 64;
    /// @notice Numbers from a cohort's oldest open anchor to its next, voided ones included: voiding walks over all of them, and
    /// must never become dearer than a block, or a sequencer could lock a cohort and what it reserved by anchoring and voiding.
    uint256 public constant MAX_UNSETTLED_NUMBERS = 256;

    ProjectRegistry public immutable projects;
    AppletRegistry public immutable applets;
    DeviceRegistry public immutable devices;
    Groth16Verifier public immutable verifier;

    mapping(uint256 projectId => mapping(uint256 cohort => Cohort)) private _cohorts;
    mapping(uint256 projectId => Account) private _accounts;

    event Funded(uint256 indexed projectId, address indexed from, uint256 amountWei);
    event Withdrawn(uint256 indexed projectId, address indexed to, uint256 amountWei);
    event Anchored(uint256 indexed projectId, uint256 indexed cohort, uint256 indexed number, Snapshot snapshot);
    event Voided(uint256 indexed projectId, uint256 indexed cohort, uint256 fromNumber, uint256 untilNumber);
    event Settled(
        uint256 indexed projectId,
        uint256 indexed cohort,
        uint256 indexed number,
        uint256 ledgerBefore,
        uint256 ledgerAfter,
        uint256[] lanes,
        address payee
    );
    event Claimed(uint64 indexed deviceId, address indexed owner, address indexed to, uint256 units, uint256 amountWei);

    error NotSequencer(uint256 projectId, address caller);
    error NotProjectOwner(uint256 projectId, address caller);
    error NotDeviceOwner(uint64 deviceId, address caller);
    error BatchNumberUnexpected(uint256 actual, uint256 expected);
    error BatchRootOutOfField(uint256 batchRoot);
    error VersionNotActive(uint256 projectId, uint256 version);
    error IdentityRootNotRecent(uint256 identityRoot);
    error TooManyOpenAnchors(uint256 limit);
    error TooManyUnsettledNumbers(uint256 limit);
    error EscrowTooLow(uint256 requiredWei, uint256 availableWei);
    error AnchorMismatch(uint256 number, bytes32 actual, bytes32 stored);
    error AnchorNotOpen(uint256 number, uint256 nextToSettle, uint256 nextToAnchor);
    error AnchorNotStale(uint256 number, uint256 staleAtTime);
    error SnapshotsMissing(uint256 actual, uint256 expected);
    error LanesLength(uint256 actual, uint256 expected);
    error UnitsAboveMaximum(uint256 slot, uint256 units, uint256 maximum);
    error LaneFull(uint256 slot);
    error SealLength(uint256 actualBytes, uint256 expectedBytes);
    error SealOfOtherKey(bytes4 actual, bytes4 expected);
    error OtherProject(uint64 deviceId, uint256 projectId);
    error NothingToClaim();
    error AddressZero();

    constructor(ProjectRegistry projects_, AppletRegistry applets_, DeviceRegistry devices_, Groth16Verifier verifier_) {
        projects = projects_;
        applets = applets_;
        devices = devices_;
        verifier = verifier_;
    }

    /// @notice Adds to a project's escrow what actually arrives of `amountWei`.
    function fund(uint256 projectId, uint256 amountWei) external nonReentrant {
        (address tokenAddress,) = projects.rewardTerms(projectId);
        IERC20 token = IERC20(tokenAddress);
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amountWei);
        uint256 received = token.balanceOf(address(this)) - before;
        _accounts[projectId].escrowWei += received;
        emit Funded(projectId, msg.sender, received);
    }

    /// @notice Returns to the project's owner's choice what is neither credited nor reserved.
    function withdraw(uint256 projectId, uint256 amountWei, address to) external nonReentrant {
        if (msg.sender != projects.ownerOf(projectId)) revert NotProjectOwner(projectId, msg.sender);
        if (to == address(0)) revert AddressZero();
        (address token, uint256 rewardPerUnit) = projects.rewardTerms(projectId);
        uint256 available = _availableWei(projectId, rewardPerUnit);
        if (amountWei > available) revert EscrowTooLow(amountWei, available);
        _accounts[projectId].escrowWei -= amountWei;
        emit Withdrawn(projectId, to, amountWei);
        IERC20(token).safeTransfer(to, amountWei);
    }

    /// @notice Anchors the cohort's next batch and reserves the most it can pay. The chain sets config and time, not the sequencer.
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
        if (batchRoot >= R) revert BatchRootOutOfField(batchRoot);
        uint256 configHash = _reserve(projectId, version);
        if (!devices.isRecentRoot(projectId, cohort, identityRoot)) revert IdentityRootNotRecent(identityRoot);
        Snapshot memory snapshot =
            Snapshot(batchRoot, identityRoot, configHash, version, block.timestamp, daPointer);
        _append(projectId, cohort, expectedNumber, snapshot);
        emit Anchored(projectId, cohort, expectedNumber, snapshot);
    }

    /// @notice Voids every unsettled anchor from `number` on; releases what they reserved; the ledger stays; numbers are not reused.
    /// The sequencer may at any time; anybody may void all of them once the oldest is stale.
    /// @param snapshots Of the anchors from `number` to the last, in order (from their Anchored events); void ones left out.
    function voidFrom(uint256 projectId, uint256 cohort, uint256 number, Snapshot[] calldata snapshots) external {
        Cohort storage page = _cohorts[projectId][cohort];
        uint256 end = page.nextToAnchor;
        if (number < page.nextToSettle || number >= end) revert AnchorNotOpen(number, page.nextToSettle, end);
        _checkMayVoid(projectId, page, number, snapshots);

        uint256 cohortSize;
        uint256 maxUnitsPerFrame;
        uint256 releasedUnits;
        uint256 seen;
        for (uint256 i = number; i < end; i++) {
            bytes32 stored = page.anchors[i];
            if (stored == 0) continue;
            if (seen == snapshots.length) revert SnapshotsMissing(snapshots.length, seen + 1);
            _checkAnchor(i, stored, snapshots[seen]);
            (,, cohortSize, maxUnitsPerFrame) = applets.settlementTerms(projectId, snapshots[seen].version);
            releasedUnits += cohortSize * maxUnitsPerFrame;
            delete page.anchors[i];
            seen++;
        }
        if (seen != snapshots.length) revert SnapshotsMissing(snapshots.length, seen);
        page.openAnchors -= uint32(seen);
        if (number == page.nextToSettle) page.nextToSettle = uint64(end);
        _accounts[projectId].reservedUnits -= uint128(releasedUnits);
        emit Voided(projectId, cohort, number, end);
    }

    /// @notice Moves the cohort past voided numbers without settling, at most to `number`: for holes too long for one settlement.
    function skipVoided(uint256 projectId, uint256 cohort, uint256 number) external {
        Cohort storage page = _cohorts[projectId][cohort];
        if (number > page.nextToAnchor) revert AnchorNotOpen(number, page.nextToSettle, page.nextToAnchor);
        _skipTo(page, number);
        page.nextToSettle = uint64(number);
    }

    /// @notice Settles one batch: permissionless, exactly once, in order. The journal is rebuilt from the contract's own storage
    /// and the anchored snapshot; the proof must hold for it under the key of the anchored version.
    function settle(Receipt calldata receipt) external {
        Cohort storage page = _cohorts[receipt.projectId][receipt.cohort];
        _checkAnchor(receipt.number, page.anchors[receipt.number], receipt.snapshot);
        _skipTo(page, receipt.number);
        (address keyAccount, bytes4 selector, uint256 cohortSize, uint256 maxUnitsPerFrame) =
            applets.settlementTerms(receipt.projectId, receipt.snapshot.version);
        if (receipt.lanes.length != cohortSize / 4) revert LanesLength(receipt.lanes.length, cohortSize / 4);
        if (receipt.seal.length != SEAL_BYTES) revert SealLength(receipt.seal.length, SEAL_BYTES);
        if (bytes4(receipt.seal) != selector) revert SealOfOtherKey(bytes4(receipt.seal), selector);

        uint256 ledgerBefore = page.ledger;
        verifier.verify(keyAccount, _journal(receipt, ledgerBefore), receipt.seal[4:]);

        page.ledger = receipt.ledgerAfter;
        page.nextToSettle = uint64(receipt.number + 1);
        page.openAnchors--;
        page.started = true;
        uint256 units = _credit(page, receipt.lanes, maxUnitsPerFrame);
        Account storage account = _accounts[receipt.projectId];
        account.reservedUnits -= uint128(cohortSize * maxUnitsPerFrame);
        account.creditedUnits += uint128(units);
        emit Settled(
            receipt.projectId,
            receipt.cohort,
            receipt.number,
            ledgerBefore,
            receipt.ledgerAfter,
            receipt.lanes,
            receipt.payee
        );
    }

    /// @notice Pays the caller's devices, all of one project, what was credited and not yet claimed. Needs no off-chain data and
    /// works for revoked and suspended devices as well.
    function claim(uint64[] calldata deviceIds, address to) external nonReentrant returns (uint256 amountWei) {
        if (to == address(0)) revert AddressZero();
        if (deviceIds.length == 0) revert NothingToClaim();
        (, uint256 projectId,,) = devices.claimTerms(deviceIds[0]);
        (address token, uint256 rewardPerUnit) = projects.rewardTerms(projectId);
        for (uint256 i = 0; i < deviceIds.length; i++) {
            uint256 units = _takeLane(deviceIds[i], projectId);
            amountWei += units * rewardPerUnit;
            emit Claimed(deviceIds[i], msg.sender, to, units, units * rewardPerUnit);
        }
        if (amountWei == 0) revert NothingToClaim();
        IERC20(token).safeTransfer(to, amountWei);
    }

    /// @notice Units and wei a device's owner could claim now.
    function pending(uint64 deviceId) external view returns (uint256 units, uint256 amountWei) {
        (, uint256 projectId, uint256 cohort, uint256 slot) = devices.claimTerms(deviceId);
        (, uint256 rewardPerUnit) = projects.rewardTerms(projectId);
        Cohort storage page = _cohorts[projectId][cohort];
        units = _lane(page.lanes[slot / 4], slot) - _lane(page.claimed[slot / 4], slot);
        return (units, units * rewardPerUnit);
    }

    /// @notice A cohort's page; `nextToSettle` has voided numbers skipped. `ledger` is 0 before the first anchor.
    function cohortPage(uint256 projectId, uint256 cohort)
        external
        view
        returns (
            uint256 identityRoot,
            uint256 ledger,
            uint256 nextToAnchor,
            uint256 nextToSettle,
            uint256 openAnchors,
            uint256[] memory lanes,
            uint256[] memory claimed
        )
    {
        (,, uint256 cohortSize,) = projects.anchorTerms(projectId);
        Cohort storage page = _cohorts[projectId][cohort];
        lanes = new uint256[](cohortSize / 4);
        claimed = new uint256[](cohortSize / 4);
        for (uint256 i = 0; i < lanes.length; i++) {
            lanes[i] = page.lanes[i];
            claimed[i] = page.claimed[i];
        }
        identityRoot = devices.identityRoot(projectId, cohort);
        (ledger, nextToAnchor, openAnchors) = (page.ledger, page.nextToAnchor, page.openAnchors);
        nextToSettle = page.nextToSettle;
        while (nextToSettle < nextToAnchor && page.anchors[nextToSettle] == 0) nextToSettle++;
    }

    /// @notice Hash of the snapshot anchored under a number, settled or not; 0 when voided or never anchored.
    function anchorHash(uint256 projectId, uint256 cohort, uint256 number) external view returns (bytes32) {
        return _cohorts[projectId][cohort].anchors[number];
    }

    function accountOf(uint256 projectId)
        external
        view
        returns (uint256 escrowWei, uint256 reservedUnits, uint256 creditedUnits)
    {
        Account storage account = _accounts[projectId];
        return (account.escrowWei, account.reservedUnits, account.creditedUnits);
    }

    function deviceDomain(uint256 projectId) public view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, address(devices), address(this), projectId))) >> 8;
    }

    function binding(uint256 projectId, uint256 version, uint256 cohort, uint256 number, address payee)
        public
        view
        returns (uint256)
    {
        return uint256(keccak256(abi.encode(block.chainid, address(this), projectId, version, cohort, number, payee)))
            >> 8;
    }

    /// @dev Reserves the most a batch of `version` can credit, if the escrow covers it beside all other promises.
    function _reserve(uint256 projectId, uint256 version) private returns (uint256 configHash) {
        address sequencer;
        uint256 rewardPerUnit;
        uint256 cohortSize;
        (sequencer, rewardPerUnit, cohortSize, configHash) = projects.anchorTerms(projectId);
        if (msg.sender != sequencer) revert NotSequencer(projectId, msg.sender);
        (bool active, uint256 maxUnitsPerFrame) = applets.anchorTerms(projectId, version);
        if (!active) revert VersionNotActive(projectId, version);
        uint256 units = cohortSize * maxUnitsPerFrame;
        uint256 available = _availableWei(projectId, rewardPerUnit);
        if (units * rewardPerUnit > available) revert EscrowTooLow(units * rewardPerUnit, available);
        _accounts[projectId].reservedUnits += uint128(units);
    }

    /// @dev Stores the anchor under the next number. A cohort with nothing settled and nothing open starts at its version's genesis.
    function _append(uint256 projectId, uint256 cohort, uint256 expectedNumber, Snapshot memory snapshot) private {
        Cohort storage page = _cohorts[projectId][cohort];
        if (expectedNumber != page.nextToAnchor) revert BatchNumberUnexpected(expectedNumber, page.nextToAnchor);
        if (page.openAnchors >= MAX_OPEN_ANCHORS) revert TooManyOpenAnchors(MAX_OPEN_ANCHORS);
        if (page.openAnchors == 0) {
            page.nextToSettle = uint64(expectedNumber); // whatever lies before is settled or void
            if (!page.started) {
                (uint256 sequencesHash, uint256 statesHash) = applets.genesis(projectId, snapshot.version);
                page.ledger = PoseidonT3.hash([sequencesHash, statesHash]);
            }
        }
        if (expectedNumber - page.nextToSettle >= MAX_UNSETTLED_NUMBERS) {
            revert TooManyUnsettledNumbers(MAX_UNSETTLED_NUMBERS);
        }
        page.nextToAnchor++;
        page.openAnchors++;
        page.anchors[expectedNumber] = keccak256(abi.encode(snapshot));
    }

    function _checkMayVoid(uint256 projectId, Cohort storage page, uint256 number, Snapshot[] calldata snapshots)
        private
        view
    {
        (address sequencer,,,) = projects.anchorTerms(projectId);
        if (msg.sender == sequencer) return;
        if (number != page.nextToSettle || snapshots.length == 0) revert NotSequencer(projectId, msg.sender);
        uint256 staleAt = snapshots[0].anchorTime + STALE_AFTER_SEC;
        if (block.timestamp < staleAt) revert AnchorNotStale(number, staleAt);
    }

    function _checkAnchor(uint256 number, bytes32 stored, Snapshot calldata snapshot) private pure {
        bytes32 actual = keccak256(abi.encode(snapshot));
        if (actual != stored) revert AnchorMismatch(number, actual, stored);
    }

    /// @dev `number` must not be settled yet, and every number before it settled or void.
    function _skipTo(Cohort storage page, uint256 number) private view {
        uint256 next = page.nextToSettle;
        if (number < next) revert BatchNumberUnexpected(number, next);
        for (; next < number; next++) {
            if (page.anchors[next] != 0) revert BatchNumberUnexpected(number, next);
        }
    }

    function _journal(Receipt calldata receipt, uint256 ledgerBefore) private view returns (uint256[] memory signals) {
        Snapshot calldata snapshot = receipt.snapshot;
        signals = new uint256[](FIXED_SIGNALS + receipt.lanes.length);
        signals[0] = snapshot.identityRoot;
        signals[1] = ledgerBefore;
        signals[2] = receipt.ledgerAfter;
        signals[3] = snapshot.batchRoot;
        signals[4] = snapshot.configHash;
        signals[5] = deviceDomain(receipt.projectId);
        signals[6] = snapshot.anchorTime;
        signals[7] = binding(receipt.projectId, snapshot.version, receipt.cohort, receipt.number, receipt.payee);
        for (uint256 i = 0; i < receipt.lanes.length; i++) signals[FIXED_SIGNALS + i] = receipt.lanes[i];
    }

    /// @dev Adds the proven units to the lanes. The circuit saturates each at the maximum and keeps lanes apart; checking both here
    /// costs about 2k gas at D=16 and keeps credit within the reservation even if a circuit were wrong.
    function _credit(Cohort storage page, uint256[] calldata lanes, uint256 maximum) private returns (uint256 total) {
        for (uint256 word = 0; word < lanes.length; word++) {
            uint256 added = lanes[word];
            if (added == 0) continue;
            uint256 stored = page.lanes[word];
            for (uint256 slot = 4 * word; slot < 4 * word + 4; slot++) {
                uint256 units = _lane(added, slot);
                if (units > maximum) revert UnitsAboveMaximum(slot, units, maximum);
                if (_lane(stored, slot) + units > type(uint64).max) revert LaneFull(slot);
                total += units;
            }
            page.lanes[word] = stored + added;
        }
    }

    function _takeLane(uint64 deviceId, uint256 projectId) private returns (uint256 units) {
        (address owner, uint256 ownProject, uint256 cohort, uint256 slot) = devices.claimTerms(deviceId);
        if (owner != msg.sender) revert NotDeviceOwner(deviceId, msg.sender);
        if (ownProject != projectId) revert OtherProject(deviceId, ownProject);
        Cohort storage page = _cohorts[projectId][cohort];
        uint256 claimed = page.claimed[slot / 4];
        units = _lane(page.lanes[slot / 4], slot) - _lane(claimed, slot);
        if (units != 0) page.claimed[slot / 4] = claimed + (units << (64 * (slot % 4)));
    }

    function _availableWei(uint256 projectId, uint256 rewardPerUnit) private view returns (uint256) {
        Account storage account = _accounts[projectId];
        return account.escrowWei - (uint256(account.reservedUnits) + account.creditedUnits) * rewardPerUnit;
    }

    function _lane(uint256 word, uint256 slot) private pure returns (uint256) {
        return uint64(word >> (64 * (slot % 4)));
    }
}
