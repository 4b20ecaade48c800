// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Anchors} from "./Anchors.sol";

/// @title Claims
/// @notice Pays what lanes were credited and not yet paid, to whoever owns the devices' tokens now. No stop, pause or governance
/// reaches this code.
abstract contract Claims is Anchors, EIP712, Nonces {
    using SafeERC20 for IERC20;

    /// A claim that the owner signed and anybody may send.
    struct ClaimOrder {
        address owner;
        address to;
        uint256[] deviceIds;
        uint256 nonce;
        uint64 deadline;
    }

    bytes32 private constant CLAIM_TYPEHASH =
        keccak256("Claim(address owner,address to,uint256[] deviceIds,uint256 nonce,uint64 deadline)");

    /// @notice An owner's devices were paid.
    /// @param claims deviceId · 2^64 + units, for each device.
    event Claimed(
        uint256 indexed projectId, address indexed owner, address indexed to, uint256[] claims, uint256 amountWei
    );

    /// @notice The device is not the caller's, or not of the order's owner.
    error NotDeviceOwner(uint64 deviceId, address caller);
    /// @notice The order's deadline has passed.
    error ClaimExpired(uint64 deadline, uint256 timestamp);
    /// @notice The order is not signed by the owner that it names.
    error ClaimSignatureInvalid(address owner);

    constructor() EIP712("Attestream", "1") {}

    /// @notice Pays the caller's devices, all of one project, what was credited and not yet claimed. Needs no off-chain data and
    /// works for revoked and suspended devices as well.
    function claim(uint256[] calldata deviceIds, address to) external nonReentrant returns (uint256 amountWei) {
        return _claim(deviceIds, msg.sender, to);
    }

    /// @notice The same by anybody for an owner who signed for it (EIP-712, or ERC-1271 where the owner is a contract).
    function claimFor(ClaimOrder calldata order, bytes calldata signature)
        external
        nonReentrant
        returns (uint256 amountWei)
    {
        if (block.timestamp > order.deadline) revert ClaimExpired(order.deadline, block.timestamp);
        _useCheckedNonce(order.owner, order.nonce);
        bytes32 structHash = keccak256(
            abi.encode(
                CLAIM_TYPEHASH,
                order.owner,
                order.to,
                keccak256(abi.encodePacked(order.deviceIds)),
                order.nonce,
                order.deadline
            )
        );
        if (!SignatureChecker.isValidSignatureNow(order.owner, _hashTypedDataV4(structHash), signature)) {
            revert ClaimSignatureInvalid(order.owner);
        }
        return _claim(order.deviceIds, order.owner, order.to);
    }

    /// @notice Units and wei a device's owner could claim now.
    function pending(uint64 deviceId) external view returns (uint256 units, uint256 amountWei) {
        (, uint256 projectId, uint256 cohort, uint256 slot,,) = devices.deviceOf(deviceId);
        (, uint256 rewardPerUnit) = projects.rewardTerms(projectId);
        Cohort storage page = _cohorts[projectId][cohort];
        units = _lane(page.lanes[slot / 4], slot) - _lane(page.claimed[slot / 4], slot);
        return (units, units * rewardPerUnit);
    }

    function _claim(uint256[] calldata deviceIds, address owner, address to) private returns (uint256 amountWei) {
        if (to == address(0)) revert AddressZero();
        if (deviceIds.length == 0) revert NothingToClaim();
        (address holder, uint256 projectId, uint256[] memory places) = devices.claimTerms(deviceIds);
        if (holder != owner) revert NotDeviceOwner(uint64(deviceIds[0]), owner);
        uint256 total = _takeLanes(projectId, deviceIds, places);
        if (total == 0) revert NothingToClaim();
        (address token, uint256 rewardPerUnit) = projects.rewardTerms(projectId);
        amountWei = total * rewardPerUnit;
        emit Claimed(projectId, owner, to, places, amountWei);
        IERC20(token).safeTransfer(to, amountWei);
    }

    /// @dev Counts each place's lane as claimed and writes what the event tells in the place's stead. A word of four lanes is read
    /// when it is first met and written when it is left; a place met twice has nothing left the second time.
    function _takeLanes(uint256 projectId, uint256[] calldata deviceIds, uint256[] memory places)
        private
        returns (uint256 total)
    {
        uint256 current = places[0] / 4;
        Cohort storage page = _cohorts[projectId][current / 16];
        (uint256 lanes, uint256 claimed) = (page.lanes[current % 16], page.claimed[current % 16]);
        uint256 end = places.length;
        for (uint256 i = 0; i < end; i++) {
            uint256 place;
            assembly ("memory-safe") {
                place := mload(add(add(places, 32), shl(5, i)))
            }
            if (place / 4 != current) {
                page.claimed[current % 16] = claimed;
                current = place / 4;
                page = _cohorts[projectId][current / 16];
                (lanes, claimed) = (page.lanes[current % 16], page.claimed[current % 16]);
            }
            assembly ("memory-safe") {
                let shift := shl(6, and(place, 3))
                // what was claimed had been credited, lane by lane, so nothing borrows from the next lane
                let units := and(shr(shift, sub(lanes, claimed)), 0xffffffffffffffff)
                claimed := add(claimed, shl(shift, units))
                total := add(total, units)
                let claimWord := add(shl(64, calldataload(add(deviceIds.offset, shl(5, i)))), units)
                mstore(add(add(places, 32), shl(5, i)), claimWord)
            }
        }
        page.claimed[current % 16] = claimed;
    }

    function _lane(uint256 word, uint256 slot) internal pure returns (uint256) {
        return uint64(word >> ((slot & 3) << 6));
    }
}
