// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {PoseidonT4} from "poseidon-solidity/PoseidonT4.sol";
import {BabyJubJub} from "./BabyJubJub.sol";
import {CohortTrees} from "./CohortTrees.sol";
import {ProjectRegistry} from "./ProjectRegistry.sol";

/// @title DeviceRegistry
/// @notice One token per device, one slot of one cohort for ever, and the only hand on the cohorts' identity roots.
/// A device is admitted by its project's signature; its owner may change the key once a day; a sale suspends the key until the
/// new owner confirms or changes it; revoking empties the slot and leaves the token and its claim alone.
contract DeviceRegistry is ERC721, EIP712 {
    using CohortTrees for CohortTrees.Tree;

    enum Status {
        None,
        Active,
        Suspended,
        Revoked
    }

    struct Device {
        uint256 keyX;
        uint256 keyY;
        uint64 projectId;
        uint64 cohort;
        uint8 slot;
        Status status;
        uint64 keyChangedAtTime;
    }

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
    /// @notice A root may be anchored for so many blocks after it was replaced.
    uint256 public constant ROOT_WINDOW_BLOCKS = 64;
    uint256 public constant KEY_CHANGE_INTERVAL_SEC = 1 days;

    ProjectRegistry public immutable projects;
    /// @notice Devices ever registered; ids run from 1 and are never reused.
    uint64 public deviceCount;
    /// @notice Devices ever registered by a project: fills cohort after cohort, slot after slot.
    mapping(uint256 projectId => uint256) public projectDeviceCount;
    mapping(uint256 deviceId => Device) private _devices;
    mapping(uint256 deviceId => string) private _metadataURIs;
    /// Device that was registered with a key, per project: an admission names a key, so this also makes it single-use.
    mapping(uint256 projectId => mapping(bytes32 keyHash => uint64 deviceId)) private _registeredKeys;
    mapping(uint256 projectId => mapping(uint256 cohort => CohortTrees.Tree)) private _trees;

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
    event KeyConfirmed(
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
    event KeySuspended(
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
    event DeviceRevoked(
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

    error AdmissionExpired(uint64 deadline, uint256 timestamp);
    error AdmissionInvalid(address admitter);
    error KeyInvalid(uint256 keyX, uint256 keyY);
    error KeyTaken(uint256 keyX, uint256 keyY, uint64 deviceId);
    error KeyChangeTooEarly(uint64 deviceId, uint256 allowedAtTime);
    error NotDeviceOwner(uint64 deviceId, address caller);
    error NotDeviceOwnerOrProject(uint64 deviceId, address caller);
    error DeviceStatus(uint64 deviceId, Status actual);

    constructor(ProjectRegistry projects_) ERC721("Attestream Device", "ATDEV") EIP712("Attestream", "1") {
        projects = projects_;
    }

    /// @notice Registers a device for `admission.owner`; anybody may send it. The signature is the project's admitter's (EIP-712,
    /// or ERC-1271 where the admitter is a contract). A key is admitted once per project, so no admission works twice.
    function register(Admission calldata admission, bytes calldata signature) external returns (uint64 deviceId) {
        uint256 projectId = admission.projectId;
        (address admitter, uint256 size) = projects.admission(projectId);
        _checkAdmission(admission, signature, admitter);
        if (!BabyJubJub.isKey(admission.keyX, admission.keyY)) revert KeyInvalid(admission.keyX, admission.keyY);

        deviceId = ++deviceCount;
        _takeKey(projectId, admission.keyX, admission.keyY, deviceId);
        uint256 place = projectDeviceCount[projectId]++;
        _devices[deviceId] = Device({
            keyX: admission.keyX,
            keyY: admission.keyY,
            projectId: uint64(projectId),
            cohort: uint64(place / size),
            slot: uint8(place % size),
            status: Status.Active,
            keyChangedAtTime: 0
        });
        if (bytes(admission.metadataURI).length != 0) _metadataURIs[deviceId] = admission.metadataURI;
        _mint(admission.owner, deviceId);
        (uint256 leaf, uint256 root) = _writeLeaf(deviceId, _devices[deviceId]);
        emit DeviceRegistered(
            deviceId,
            projectId,
            place / size,
            place % size,
            admission.keyX,
            admission.keyY,
            leaf,
            admission.owner,
            root
        );
    }

    /// @notice Changes the key, at most once a day; also lifts a suspension. Slot, sequence, state and lane stay.
    function rotateKey(uint64 deviceId, uint256 keyX, uint256 keyY) external {
        Device storage device = _ownedLiveDevice(deviceId);
        uint256 allowedAt = device.keyChangedAtTime + KEY_CHANGE_INTERVAL_SEC;
        if (device.keyChangedAtTime != 0 && block.timestamp < allowedAt) revert KeyChangeTooEarly(deviceId, allowedAt);
        if (!BabyJubJub.isKey(keyX, keyY)) revert KeyInvalid(keyX, keyY);
        uint64 holder = _registeredKeys[device.projectId][_keyHash(keyX, keyY)];
        if (holder != 0 && holder != deviceId) revert KeyTaken(keyX, keyY, holder);
        (device.keyX, device.keyY) = (keyX, keyY);
        device.keyChangedAtTime = uint64(block.timestamp);
        device.status = Status.Active;
        (uint256 leaf, uint256 root) = _writeLeaf(deviceId, device);
        emit KeyRotated(
            deviceId, device.projectId, device.cohort, device.slot, keyX, keyY, leaf, msg.sender, root
        );
    }

    /// @notice The new owner keeps the key a bought device came with.
    function confirmKey(uint64 deviceId) external {
        Device storage device = _ownedLiveDevice(deviceId);
        if (device.status != Status.Suspended) revert DeviceStatus(deviceId, device.status);
        device.status = Status.Active;
        (uint256 leaf, uint256 root) = _writeLeaf(deviceId, device);
        emit KeyConfirmed(
            deviceId, device.projectId, device.cohort, device.slot, device.keyX, device.keyY, leaf, msg.sender, root
        );
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
        (, uint256 root) = _writeLeaf(deviceId, device);
        if (byProject) _trees[device.projectId][device.cohort].closedAtBlock = block.number;
        emit DeviceRevoked(
            deviceId, device.projectId, device.cohort, device.slot, device.keyX, device.keyY, 0, owner, root
        );
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

    function deviceOf(uint64 deviceId) external view returns (Device memory) {
        _requireOwned(deviceId);
        return _devices[deviceId];
    }

    /// @notice What a claim needs: who may claim, and which lane.
    function claimTerms(uint64 deviceId)
        external
        view
        returns (address owner, uint256 projectId, uint256 cohort, uint256 slot)
    {
        owner = _requireOwned(deviceId);
        Device storage device = _devices[deviceId];
        return (owner, device.projectId, device.cohort, device.slot);
    }

    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        _requireOwned(tokenId);
        return _metadataURIs[tokenId];
    }

    /// @dev A transfer to another account suspends an active key. A mint comes from the zero address and does not.
    function _update(address to, uint256 tokenId, address auth) internal override returns (address from) {
        from = super._update(to, tokenId, auth);
        if (from == address(0) || from == to) return from;
        Device storage device = _devices[tokenId];
        if (device.status != Status.Active) return from;
        device.status = Status.Suspended;
        uint64 deviceId = uint64(tokenId);
        (, uint256 root) = _writeLeaf(deviceId, device);
        emit KeySuspended(
            deviceId, device.projectId, device.cohort, device.slot, device.keyX, device.keyY, 0, to, root
        );
    }

    function _checkAdmission(Admission calldata admission, bytes calldata signature, address admitter) private view {
        if (block.timestamp > admission.deadline) revert AdmissionExpired(admission.deadline, block.timestamp);
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    ADMISSION_TYPEHASH,
                    admission.owner,
                    admission.projectId,
                    admission.keyX,
                    admission.keyY,
                    keccak256(bytes(admission.metadataURI)),
                    admission.deadline
                )
            )
        );
        if (admitter == address(0) || !SignatureChecker.isValidSignatureNow(admitter, digest, signature)) {
            revert AdmissionInvalid(admitter);
        }
    }

    function _takeKey(uint256 projectId, uint256 keyX, uint256 keyY, uint64 deviceId) private {
        bytes32 keyHash = _keyHash(keyX, keyY);
        uint64 holder = _registeredKeys[projectId][keyHash];
        if (holder != 0) revert KeyTaken(keyX, keyY, holder);
        _registeredKeys[projectId][keyHash] = deviceId;
    }

    /// @dev Writes the device's leaf: of its key while active, empty otherwise.
    function _writeLeaf(uint64 deviceId, Device storage device) private returns (uint256 leaf, uint256 root) {
        if (device.status == Status.Active) leaf = PoseidonT4.hash([device.keyX, device.keyY, uint256(deviceId)]);
        (, uint256 size) = projects.admission(device.projectId);
        root = _trees[device.projectId][device.cohort].setLeaf(size, device.slot, leaf);
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
