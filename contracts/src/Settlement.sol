// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Anchors} from "./Anchors.sol";
import {AppletRegistry} from "./AppletRegistry.sol";
import {Claims} from "./Claims.sol";
import {DeviceRegistry} from "./DeviceRegistry.sol";
import {Escrow} from "./Escrow.sol";
import {Groth16Verifier} from "./Groth16Verifier.sol";
import {ProjectRegistry} from "./ProjectRegistry.sol";

/// @title Settlement
/// @notice Settles each anchored batch exactly once and in order against a proof, and credits units to lanes. Escrow holds the
/// money, Anchors the pages, Claims pays; together they are one contract.
contract Settlement is Claims {
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

    /// What settlements of one version are judged by, read once for a run of them.
    struct Terms {
        uint256 projectId;
        uint256 version;
        address keyAccount;
        bytes4 selector;
        uint256 cohortSize;
        uint256 maxUnitsPerFrame;
        uint256 feeUnits;
        uint256 deviceDomain;
    }

    uint256 private constant SEAL_BYTES = 260;
    uint256 private constant SELECTOR_BYTES = 4;
    uint256 private constant PROOF_BYTES = 256;
    uint256 private constant FIXED_SIGNALS = 8;
    /// 1 in each of a word's four lanes, and the highest bit of each.
    uint256 private constant EACH_LANE = 0x0000000000000001000000000000000100000000000000010000000000000001;
    uint256 private constant TOP_BITS = EACH_LANE << 63;

    /// @notice Checks all proofs.
    Groth16Verifier public immutable verifier;

    /// @notice A batch is settled and its units are credited.
    event Settled(
        uint256 indexed projectId,
        uint256 indexed cohort,
        uint256 indexed number,
        uint256 ledgerBefore,
        uint256 ledgerAfter,
        uint256[] lanes,
        address payee
    );

    /// @notice A receipt has one lane word for four devices.
    error LanesLength(uint256 actual, uint256 expected);
    /// @notice A slot is credited more than a frame can be worth.
    error UnitsAboveMaximum(uint256 slot, uint256 units, uint256 maximum);
    /// @notice A lane of the word has reached 2^63 units.
    error LaneFull(uint256 word);
    /// @notice A seal is the first 4 bytes of the key's hash and a proof of 256.
    error SealLength(uint256 actualBytes, uint256 expectedBytes);
    /// @notice The seal was made with another verifying key than the anchored version's.
    error SealOfOtherKey(bytes4 actual, bytes4 expected);
    /// @notice The proof of this one of many does not hold; `reason` is the verifier's error.
    error ReceiptRefused(uint256 index, bytes reason);

    constructor(ProjectRegistry projects_, AppletRegistry applets_, DeviceRegistry devices_, Groth16Verifier verifier_)
        Escrow(projects_)
        Anchors(applets_, devices_)
    {
        verifier = verifier_;
    }

    /// @notice Settles one batch: permissionless, exactly once, in order. The journal is rebuilt from the contract's own storage
    /// and the anchored snapshot; the proof must hold for it under the key of the anchored version.
    function settle(Receipt calldata receipt) external {
        Terms memory terms = _readTerms(receipt.projectId, receipt.snapshot.version);
        uint256[] memory signals = new uint256[](FIXED_SIGNALS + terms.cohortSize / 4);
        _apply(receipt, terms, signals, 0);
        verifier.verify(terms.keyAccount, signals, receipt.seal[SELECTOR_BYTES:]);
    }

    /// @notice Settles many batches, in the order given: of one cohort, of many, under one key or several. Proofs of one key that
    /// stand side by side are verified together. A receipt whose batch is settled already is passed over, since anybody could
    /// have settled it in the meantime; anything else that is wrong reverts the whole, with the culprit in the error.
    /// @return settled How many batches this call settled.
    function settleMany(Receipt[] calldata receipts) external returns (uint256 settled) {
        uint256 next = 0;
        while (next < receipts.length) {
            uint256 count;
            (next, count) = _settleRun(receipts, next);
            settled += count;
        }
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
        (, uint256 cohortSize) = projects.admission(projectId);
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
        while (nextToSettle < nextToAnchor && page.anchors[nextToSettle % page.places] == VOID) nextToSettle++;
    }

    /// @notice What every frame of the project is signed for: this chain, these contracts, this project.
    function deviceDomain(uint256 projectId) public view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, address(devices), address(this), projectId))) >> 8;
    }

    /// @notice Ties a proof to its place and to its payee.
    function binding(uint256 projectId, uint256 version, uint256 cohort, uint256 number, address payee)
        public
        view
        returns (uint256)
    {
        return uint256(keccak256(abi.encode(block.chainid, address(this), projectId, version, cohort, number, payee)))
            >> 8;
    }

    /// @dev Settles receipts from `start` on as long as they have one key; returns where it stopped.
    function _settleRun(Receipt[] calldata receipts, uint256 start) private returns (uint256 next, uint256 count) {
        while (_isPast(receipts[start])) if (++start == receipts.length) return (start, 0);
        Terms memory terms = _readTerms(receipts[start].projectId, receipts[start].snapshot.version);
        address keyAccount = terms.keyAccount;
        uint256 width = FIXED_SIGNALS + terms.cohortSize / 4;
        uint256[] memory signals = new uint256[](width * (receipts.length - start));
        bytes memory proofs = new bytes(PROOF_BYTES * (receipts.length - start));
        uint256[] memory indices = new uint256[](receipts.length - start);
        for (next = start; next < receipts.length; next++) {
            Receipt calldata receipt = receipts[next];
            if (_isPast(receipt)) continue;
            if (receipt.projectId != terms.projectId || receipt.snapshot.version != terms.version) {
                terms = _readTerms(receipt.projectId, receipt.snapshot.version);
                if (terms.keyAccount != keyAccount) break;
            }
            _apply(receipt, terms, signals, width * count);
            bytes calldata seal = receipt.seal;
            indices[count] = next;
            uint256 at = PROOF_BYTES * count++;
            assembly ("memory-safe") {
                calldatacopy(add(add(proofs, 32), at), add(seal.offset, SELECTOR_BYTES), PROOF_BYTES)
            }
        }
        if (count == 0) return (next, 0);
        assembly ("memory-safe") {
            mstore(signals, mul(width, count)) // shorter than allocated
            mstore(proofs, mul(PROOF_BYTES, count))
        }
        try verifier.verifyMany(keyAccount, signals, proofs) {}
        catch (bytes memory reason) {
            revert ReceiptRefused(indices[_culprit(reason, width)], reason);
        }
    }

    /// @dev Whether the receipt's number is settled, or void and passed by: nothing of it is looked at, also if its version is stopped.
    function _isPast(Receipt calldata receipt) private view returns (bool) {
        return receipt.number < _cohorts[receipt.projectId][receipt.cohort].nextToSettle;
    }

    /// @dev Which of the proofs an error of the verifier's speaks of; each such error begins with an index. 0 if it names none.
    function _culprit(bytes memory reason, uint256 width) private pure returns (uint256 index) {
        if (reason.length < 36) return 0;
        assembly ("memory-safe") {
            index := mload(add(reason, 36))
        }
        bytes4 error_ = bytes4(reason);
        if (error_ == Groth16Verifier.ProofOfManyInvalid.selector) return index;
        if (error_ == Groth16Verifier.CoordinateOutOfField.selector) return index / (PROOF_BYTES / 32);
        if (error_ == Groth16Verifier.SignalOutOfField.selector) return index / width;
        return 0;
    }

    function _readTerms(uint256 projectId, uint256 version) private view returns (Terms memory terms) {
        (terms.projectId, terms.version) = (projectId, version);
        (terms.keyAccount, terms.selector, terms.cohortSize, terms.maxUnitsPerFrame, terms.feeUnits) =
            applets.settlementTerms(projectId, version);
        terms.deviceDomain = deviceDomain(projectId);
    }

    /// @dev All of a settlement but the proof: the caller verifies it, or everything is undone. Writes the journal into `signals`.
    function _apply(Receipt calldata receipt, Terms memory terms, uint256[] memory signals, uint256 at) private {
        Cohort storage page = _cohorts[receipt.projectId][receipt.cohort];
        _checkNext(page, receipt);
        if (receipt.lanes.length != terms.cohortSize / 4) {
            revert LanesLength(receipt.lanes.length, terms.cohortSize / 4);
        }
        if (receipt.seal.length != SEAL_BYTES) revert SealLength(receipt.seal.length, SEAL_BYTES);
        if (bytes4(receipt.seal) != terms.selector) revert SealOfOtherKey(bytes4(receipt.seal), terms.selector);

        uint256 ledgerBefore = page.ledger;
        _writeJournal(receipt, terms.deviceDomain, ledgerBefore, signals, at);
        page.ledger = receipt.ledgerAfter;
        page.nextToSettle = uint64(receipt.number + 1);
        page.openAnchors--;
        page.started = true;
        uint256 units = _credit(page, receipt.lanes, terms.maxUnitsPerFrame);
        if (terms.feeUnits != 0 && receipt.payee != address(0)) {
            feeUnitsOf[receipt.projectId][receipt.payee] += terms.feeUnits;
            units += terms.feeUnits;
        }
        _release(receipt.projectId, terms.cohortSize * terms.maxUnitsPerFrame + terms.feeUnits, units);
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

    /// @dev The batch must be open with this snapshot, and every number before it settled or void.
    function _checkNext(Cohort storage page, Receipt calldata receipt) private view {
        uint256 number = receipt.number;
        (uint256 next, uint256 places) = (page.nextToSettle, page.places);
        _checkOpen(page, number);
        _checkSnapshot(number, page.anchors[number % places], receipt.snapshot);
        for (; next < number; next++) {
            if (page.anchors[next % places] != VOID) revert BatchNumberUnexpected(number, next);
        }
    }

    function _writeJournal(
        Receipt calldata receipt,
        uint256 domain,
        uint256 ledgerBefore,
        uint256[] memory signals,
        uint256 at
    ) private view {
        Snapshot calldata snapshot = receipt.snapshot;
        signals[at] = snapshot.identityRoot;
        signals[at + 1] = ledgerBefore;
        signals[at + 2] = receipt.ledgerAfter;
        signals[at + 3] = snapshot.batchRoot;
        signals[at + 4] = snapshot.configHash;
        signals[at + 5] = domain;
        signals[at + 6] = snapshot.anchorTime;
        signals[at + 7] = binding(receipt.projectId, snapshot.version, receipt.cohort, receipt.number, receipt.payee);
        uint256[] calldata lanes = receipt.lanes;
        assembly ("memory-safe") {
            // after the array's length, at the journal's first lane; the caller has checked how many there are
            calldatacopy(add(signals, shl(5, add(at, add(FIXED_SIGNALS, 1)))), lanes.offset, shl(5, lanes.length))
        }
    }

    /// @dev Adds the proven units to the lanes. The circuit saturates each at the maximum and keeps lanes apart; checking both here
    /// keeps credit within the reservation even if a circuit were wrong. All four lanes of a word are compared at once: below
    /// 2^63, a lane of maximum + 2^63 − units keeps its top bit unless units are above the maximum.
    function _credit(Cohort storage page, uint256[] calldata lanes, uint256 maximum) private returns (uint256 total) {
        uint256 limits = maximum * EACH_LANE + TOP_BITS;
        for (uint256 word = 0; word < lanes.length; word++) {
            uint256 added = lanes[word];
            if (added == 0) continue;
            unchecked {
                if (added & TOP_BITS != 0 || (limits - added) & TOP_BITS != TOP_BITS) _refuse(word, added, maximum);
            }
            uint256 stored = page.lanes[word];
            if (stored & TOP_BITS != 0) revert LaneFull(word);
            total += uint64(added) + uint64(added >> 64) + uint64(added >> 128) + (added >> 192);
            page.lanes[word] = stored + added;
        }
    }

    function _refuse(uint256 word, uint256 added, uint256 maximum) private pure {
        for (uint256 slot = 4 * word; slot < 4 * word + 4; slot++) {
            uint256 units = _lane(added, slot);
            if (units > maximum) revert UnitsAboveMaximum(slot, units, maximum);
        }
    }
}
