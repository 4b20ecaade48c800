// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {PoseidonT4} from "poseidon/PoseidonT4.sol";
import {BabyJubJub} from "./BabyJubJub.sol";
import {CohortTrees} from "./CohortTrees.sol";
import {DeviceToken} from "./DeviceToken.sol";
import {ProjectRegistry} from "./ProjectRegistry.sol";

/// @title DeviceRegistry
/// @notice One token per device, one slot of one cohort for ever, and the only hand on the cohorts' identity roots.
/// Every key of a device, the first and each later one, is admitted by its project's signature: a device admitted for its
/// tamper-proof key must not go on under a key that anybody can copy. A sale suspends the key until the new owner confirms or
/// changes it; revoking empties the slot and leaves the token and its claim alone.
/// @dev Keys are not stored: a leaf commits to its key, and the events tell it.
contract DeviceRegistry is DeviceToken, EIP712 {
    using CohortTrees for CohortTrees.Tree;

    struct Admission {
        address owner;
        uint256 projectId;
        uint256 keyX;
        uint256 keyY;
        string metadataURI;
        uint64 deadline;
    }

    bytes32 private constant ADMISSION_TYPEHASH = keccak256(
        "Admission(address owner,uint256 projectId,uint256 keyX,uint256 keyY,string metadataURI,uint64 deadline)"
    );
    bytes32 private constant ROTATION_TYPEHASH =
        keccak256("Rotation(uint64 deviceId,uint256 keyX,uint256 keyY,uint64 deadline)");
    /// @notice A root may be anchored for so many blocks after it was replaced.
    uint256 public constant ROOT_WINDOW_BLOCKS = 64;
    /// @notice Between two changes of a device's key; the hour of the last one is what is remembered.
    uint256 public constant KEY_CHANGE_INTERVAL_SEC = 1 days;
    /// Slots that `Device.place` leaves room for; no cohort is larger.
    uint256 private constant PLACES = 64;

    /// @notice Admitters and cohort sizes of the projects.
    ProjectRegistry public immutable projects;
    /// @notice Devices ever registered; ids run from 1 and are never reused.
    uint64 public deviceCount;
    /// @notice Devices ever registered by a project: fills cohort after cohort, slot after slot.
    mapping(uint256 projectId => uint256) public projectDeviceCount;
    mapping(uint256 deviceId => string) private _metadataURIs;
    /// Leaf that a suspended device gets back when its key is confirmed.
    mapping(uint256 deviceId => uint256) private _suspendedLeaves;
    /// Device that was registered with a key, per project: an admission names a key, so this also makes it single-use.
    mapping(uint256 projectId => mapping(bytes32 keyHash => uint64 deviceId)) private _registeredKeys;
    mapping(uint256 projectId => mapping(uint256 cohort => CohortTrees.Tree)) private _trees;

    /// @notice A device has its token, its slot and its first key.
    event DeviceRegistered(
        uint64 indexed deviceId,
        uint256 indexed projectId,
        uint256 indexed cohort,
        uint256 slot,
        uint256 keyX,
        uint256 keyY,
        uint256 leaf,
        address owner,
        uint256 identityRoot
    );
    /// @notice A device has another key, in the same slot.
    event KeyRotated(
        uint64 indexed deviceId,
        uint256 indexed projectId,
        uint256 indexed cohort,
        uint256 slot,
        uint256 keyX,
        uint256 keyY,
        uint256 leaf,
        address owner,
        uint256 identityRoot
    );
    /// @notice A suspended device's key is in service again.
    event KeyConfirmed(
        uint64 indexed deviceId,
        uint256 indexed projectId,
        uint256 indexed cohort,
        uint256 slot,
        uint256 leaf,
        address owner,
        uint256 identityRoot
    );
    /// @notice A device's slot is empty until its owner confirms or changes the key.
    event KeySuspended(
        uint64 indexed deviceId,
        uint256 indexed projectId,
        uint256 indexed cohort,
        uint256 slot,
        uint256 leaf,
        address owner,
        uint256 identityRoot
    );
    /// @notice A device's slot is empty for good; token and claim stay.
    event DeviceRevoked(
        uint64 indexed deviceId,
        uint256 indexed projectId,
        uint256 indexed cohort,
        uint256 slot,
        uint256 leaf,
        address owner,
        uint256 identityRoot
    );

    /// @notice The signature's deadline has passed.
    error AdmissionExpired(uint64 deadline, uint256 timestamp);
    /// @notice Not signed by the project's admitter, who is this account.
    error AdmissionInvalid(address admitter);
    /// @notice Not a point of BabyJubJub in canonical form, or one of low order.
    error KeyInvalid(uint256 keyX, uint256 keyY);
    /// @notice This device of the project has, or had, the key.
    error KeyTaken(uint256 keyX, uint256 keyY, uint64 deviceId);
    /// @notice A key changes once a day; again from `allowedAtTime` on.
    error KeyChangeTooEarly(uint64 deviceId, uint256 allowedAtTime);
    /// @notice Only the device's owner may.
    error NotDeviceOwner(uint64 deviceId, address caller);
    /// @notice Only the device's or its project's owner may.
    error NotDeviceOwnerOrProject(uint64 deviceId, address caller);
    /// @notice A claim is for devices of one project; this one is of another.
    error OtherProject(uint64 deviceId, uint256 projectId);
    /// @notice Not possible while the device is in this status.
    error DeviceStatus(uint64 deviceId, Status actual);
    /// @notice No room is left for the project's number or another cohort.
    error RegistryFull();

    constructor(ProjectRegistry projects_) ERC721("Attestream Device", "ATDEV") EIP712("Attestream", "1") {
        projects = projects_;
    }

    /// @notice Registers a device for `admission.owner`; anybody may send it. The signature is the project's admitter's (EIP-712,
    /// or ERC-1271 where the admitter is a contract). A key is admitted once per project, so no admission works twice.
    function register(Admission calldata admission, bytes calldata signature) external returns (uint64 deviceId) {
        uint256 projectId = admission.projectId;
        (address admitter, uint256 size) = projects.admission(projectId);
        bytes32 structHash = keccak256(
            abi.encode(
                ADMISSION_TYPEHASH,
                admission.owner,
                projectId,
                admission.keyX,
                admission.keyY,
                keccak256(bytes(admission.metadataURI)),
                admission.deadline
            )
        );
        _checkAdmission(admitter, structHash, admission.deadline, signature);

        deviceId = ++deviceCount;
        if (!_takeKey(projectId, admission.keyX, admission.keyY, deviceId)) {
            revert KeyTaken(admission.keyX, admission.keyY, deviceOfKey(projectId, admission.keyX, admission.keyY));
        }
        uint256 count = projectDeviceCount[projectId]++;
        (uint256 cohort, uint256 slot) = (count / size, count % size);
        if (projectId > type(uint32).max || cohort >= type(uint32).max / PLACES) revert RegistryFull();
        Device storage device = _devices[deviceId];
        device.projectId = uint32(projectId);
        device.place = uint32(cohort * PLACES + slot);
        if (bytes(admission.metadataURI).length != 0) _metadataURIs[deviceId] = admission.metadataURI;
        _mint(admission.owner, deviceId);
        uint256 leaf = PoseidonT4.hash([admission.keyX, admission.keyY, uint256(deviceId)]);
        uint256 root = _trees[projectId][cohort].setLeaf(size, slot, leaf);
        emit DeviceRegistered(
            deviceId, projectId, cohort, slot, admission.keyX, admission.keyY, leaf, admission.owner, root
        );
    }

    /// @notice Changes the key to one that the project's admitter has signed a `Rotation` for, at most once a day; also lifts a
    /// suspension. By the owner. Slot, sequence, state and lane stay.
    function rotateKey(uint64 deviceId, uint256 keyX, uint256 keyY, uint64 deadline, bytes calldata signature)
        external
    {
        Device storage device = _ownedLiveDevice(deviceId);
        uint256 projectId = device.projectId;
        uint256 changedAt = uint256(device.keyChangedAtHour) * 1 hours;
        if (changedAt != 0 && block.timestamp < changedAt + KEY_CHANGE_INTERVAL_SEC) {
            revert KeyChangeTooEarly(deviceId, changedAt + KEY_CHANGE_INTERVAL_SEC);
        }
        (address admitter,) = projects.admission(projectId);
        bytes32 structHash = keccak256(abi.encode(ROTATION_TYPEHASH, deviceId, keyX, keyY, deadline));
        _checkAdmission(admitter, structHash, deadline, signature);
        if (!_takeKey(projectId, keyX, keyY, deviceId)) {
            revert KeyTaken(keyX, keyY, deviceOfKey(projectId, keyX, keyY));
        }
        device.keyChangedAtHour = uint24(block.timestamp / 1 hours);
        device.status = Status.Active;
        delete _suspendedLeaves[deviceId];
        uint256 leaf = PoseidonT4.hash([keyX, keyY, uint256(deviceId)]);
        (uint256 cohort, uint256 slot, uint256 root) = _writeLeaf(device, leaf);
        emit KeyRotated(deviceId, projectId, cohort, slot, keyX, keyY, leaf, msg.sender, root);
    }

    /// @notice The owner keeps the key that a bought, or by himself suspended, device has.
    function confirmKey(uint64 deviceId) external {
        Device storage device = _ownedLiveDevice(deviceId);
        if (device.status != Status.Suspended) revert DeviceStatus(deviceId, device.status);
        device.status = Status.Active;
        uint256 leaf = _suspendedLeaves[deviceId];
        delete _suspendedLeaves[deviceId];
        (uint256 cohort, uint256 slot, uint256 root) = _writeLeaf(device, leaf);
        emit KeyConfirmed(deviceId, device.projectId, cohort, slot, leaf, msg.sender, root);
    }

    /// @notice Takes the key out of service until the owner confirms or changes it: for a device that was lost. By the owner.
    function suspendKey(uint64 deviceId) external {
        Device storage device = _ownedLiveDevice(deviceId);
        if (device.status != Status.Active) revert DeviceStatus(deviceId, device.status);
        _suspend(deviceId, device, msg.sender);
    }

    /// @notice Empties the slot for good. By the owner, or by the project's owner: then earlier roots are refused at once,
    /// while after an owner's change they stay anchorable for the window, or an owner could spoil a batch.
    function revoke(uint64 deviceId) external {
        Device storage device = _devices[deviceId];
        address owner = _requireOwned(deviceId);
        if (device.status == Status.Revoked) revert DeviceStatus(deviceId, Status.Revoked);
        bool byProject = msg.sender == projects.ownerOf(device.projectId);
        if (!byProject && msg.sender != owner) revert NotDeviceOwnerOrProject(deviceId, msg.sender);
        device.status = Status.Revoked;
        delete _suspendedLeaves[deviceId];
        (uint256 cohort, uint256 slot, uint256 root) = _writeLeaf(device, 0);
        if (byProject) _trees[device.projectId][cohort].closedAtBlock = block.number;
        emit DeviceRevoked(deviceId, device.projectId, cohort, slot, 0, owner, root);
    }

    /// @notice Whether a batch judged by `root` may be anchored now.
    function isRecentRoot(uint256 projectId, uint256 cohort, uint256 root) external view returns (bool) {
        return _trees[projectId][cohort].isRecent(root, ROOT_WINDOW_BLOCKS);
    }

    /// @notice The cohort's current root; 0 while it has no device.
    function identityRoot(uint256 projectId, uint256 cohort) external view returns (uint256) {
        return _trees[projectId][cohort].nodes[1];
    }

    /// @notice The cohort's leaves in slot order, 0 for an empty slot.
    function leaves(uint256 projectId, uint256 cohort) external view returns (uint256[] memory all) {
        (, uint256 size) = projects.admission(projectId);
        all = new uint256[](size);
        for (uint256 slot = 0; slot < size; slot++) all[slot] = _trees[projectId][cohort].nodes[size + slot];
    }

    /// @notice Where a device is and how it is; `keyChangedAtTime` is rounded down to the hour, 0 before the first change.
    function deviceOf(uint64 deviceId)
        external
        view
        returns (
            address owner,
            uint256 projectId,
            uint256 cohort,
            uint256 slot,
            Status status,
            uint256 keyChangedAtTime
        )
    {
        owner = _requireOwned(deviceId);
        Device storage device = _devices[deviceId];
        (cohort, slot) = (device.place / PLACES, device.place % PLACES);
        return (owner, device.projectId, cohort, slot, device.status, uint256(device.keyChangedAtHour) * 1 hours);
    }

    /// @notice Device that a project registered with a key, or that was given it later; 0 if none.
    function deviceOfKey(uint256 projectId, uint256 keyX, uint256 keyY) public view returns (uint64) {
        return _registeredKeys[projectId][_keyHash(keyX, keyY)];
    }

    /// @notice What a claim needs: whose the devices are, all of one owner and one project, and each one's place, which is
    /// cohort · 64 + slot.
    function claimTerms(uint256[] calldata deviceIds)
        external
        view
        returns (address owner, uint256 projectId, uint256[] memory places)
    {
        uint256 end = deviceIds.length;
        places = new uint256[](end);
        if (end == 0) return (owner, projectId, places);
        owner = _requireOwned(deviceIds[0]);
        uint256 whose = _word(deviceIds[0]) << 64;
        projectId = whose >> 224;
        for (uint256 i = 0; i < end; i++) {
            uint256 deviceId;
            assembly ("memory-safe") {
                deviceId := calldataload(add(deviceIds.offset, shl(5, i)))
            }
            uint256 word = _word(deviceId);
            if (word << 64 != whose) _refuseClaim(uint64(deviceId), owner);
            assembly ("memory-safe") {
                mstore(add(add(places, 32), shl(5, i)), and(shr(192, word), 0xffffffff))
            }
        }
    }

    /// @notice URI of the device's metadata: its DID document, as the project signed it at admission.
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        _requireOwned(tokenId);
        return _metadataURIs[tokenId];
    }

    /// @dev A transfer to another account suspends an active key. A mint comes from the zero address and does not.
    function _update(address to, uint256 tokenId, address auth) internal override returns (address from) {
        from = super._update(to, tokenId, auth);
        if (from == address(0) || from == to) return from;
        Device storage device = _devices[tokenId];
        if (device.status == Status.Active) _suspend(uint64(tokenId), device, to);
    }

    /// @dev A device's one slot: owner, projectId, place from the lowest bit on.
    function _word(uint256 deviceId) private view returns (uint256 word) {
        Device storage device = _devices[deviceId];
        assembly ("memory-safe") {
            word := sload(device.slot)
        }
    }

    function _refuseClaim(uint64 deviceId, address owner) private view {
        Device storage device = _devices[deviceId];
        if (device.owner != owner) revert NotDeviceOwner(deviceId, owner);
        revert OtherProject(deviceId, device.projectId);
    }

    function _suspend(uint64 deviceId, Device storage device, address owner) private {
        (, uint256 size) = projects.admission(device.projectId);
        (uint256 cohort, uint256 slot) = (device.place / PLACES, device.place % PLACES);
        device.status = Status.Suspended;
        CohortTrees.Tree storage tree = _trees[device.projectId][cohort];
        _suspendedLeaves[deviceId] = tree.nodes[size + slot];
        uint256 root = tree.setLeaf(size, slot, 0);
        emit KeySuspended(deviceId, device.projectId, cohort, slot, 0, owner, root);
    }

    function _checkAdmission(address admitter, bytes32 structHash, uint64 deadline, bytes calldata signature)
        private
        view
    {
        if (block.timestamp > deadline) revert AdmissionExpired(deadline, block.timestamp);
        bytes32 digest = _hashTypedDataV4(structHash);
        if (admitter == address(0) || !SignatureChecker.isValidSignatureNow(admitter, digest, signature)) {
            revert AdmissionInvalid(admitter);
        }
    }

    /// @dev Returns false if another device has, or ever had, the key.
    function _takeKey(uint256 projectId, uint256 keyX, uint256 keyY, uint64 deviceId) private returns (bool) {
        if (!BabyJubJub.isKey(keyX, keyY)) revert KeyInvalid(keyX, keyY);
        bytes32 keyHash = _keyHash(keyX, keyY);
        uint64 holder = _registeredKeys[projectId][keyHash];
        if (holder == 0) _registeredKeys[projectId][keyHash] = deviceId;
        return holder == 0 || holder == deviceId;
    }

    function _writeLeaf(Device storage device, uint256 leaf)
        private
        returns (uint256 cohort, uint256 slot, uint256 root)
    {
        (, uint256 size) = projects.admission(device.projectId);
        (cohort, slot) = (device.place / PLACES, device.place % PLACES);
        root = _trees[device.projectId][cohort].setLeaf(size, slot, leaf);
    }

    function _ownedLiveDevice(uint64 deviceId) private view returns (Device storage device) {
        if (msg.sender != _requireOwned(deviceId)) revert NotDeviceOwner(deviceId, msg.sender);
        device = _devices[deviceId];
        if (device.status == Status.Revoked) revert DeviceStatus(deviceId, Status.Revoked);
    }

    function _keyHash(uint256 keyX, uint256 keyY) private pure returns (bytes32) {
        return keccak256(abi.encode(keyX, keyY));
    }
}
