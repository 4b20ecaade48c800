// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ProjectRegistry} from "./ProjectRegistry.sol";
import {VerifyingKey} from "./VerifyingKey.sol";

/// @title AppletRegistry
/// @notice The versions of each project's applet: which WASM, which circuit, which verifying key, for ever. A published version
/// never changes; the project's owner publishes and activates. New batches are anchored under the active version, a
/// settlement always uses the version its anchor names.
/// @dev The chain binds hashes, not truth: whether the key belongs to the WASM is for an audit outside the chain.
contract AppletRegistry {
    struct Publication {
        bytes32 appletId;
        bytes32 r1csHash;
        bytes32 setupTranscriptHash;
        uint256 layoutId;
        uint256 genesisSequencesHash;
        uint256 genesisStatesHash;
        uint8 frameSize;
        uint40 maxUnitsPerFrame;
        bool devSetup;
        bytes verifyingKey;
    }

    struct Version {
        bytes32 appletId;
        bytes32 r1csHash;
        bytes32 vkHash;
        bytes32 setupTranscriptHash;
        uint256 layoutId;
        uint256 genesisSequencesHash;
        uint256 genesisStatesHash;
        // one storage slot, read together by each settlement
        address keyAccount;
        bytes4 selector;
        uint40 maxUnitsPerFrame;
        uint8 cohortSize;
        uint8 frameSize;
        bool devSetup;
    }

    /// Order of the scalar field.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// A lane carries the sum of a frame's units in fewer than 38 bits.
    uint256 private constant MAX_UNITS_LIMIT = 1 << 38;
    /// Public signals before the lanes.
    uint256 private constant FIXED_SIGNALS = 8;

    ProjectRegistry public immutable projects;
    /// @notice A production registry refuses versions whose key comes from a development setup.
    bool public immutable production;

    mapping(uint256 projectId => uint256) public versionCount;
    mapping(uint256 projectId => uint256) public activeVersion;
    mapping(uint256 projectId => mapping(uint256 version => Version)) private _versions;

    event VersionPublished(
        uint256 indexed projectId, uint256 indexed version, bytes32 indexed appletId, bytes32 vkHash, bool devSetup
    );
    event VersionActivated(uint256 indexed projectId, uint256 indexed version);

    error NotProjectOwner(uint256 projectId, address caller);
    error VersionUnknown(uint256 projectId, uint256 version);
    error DevelopmentSetupRefused(bytes32 appletId);
    error MaxUnitsInvalid(uint40 maxUnitsPerFrame);
    error FrameSizeInvalid(uint8 frameSize);
    error GenesisOutOfField(uint256 sequencesHash, uint256 statesHash);

    constructor(ProjectRegistry projects_, bool production_) {
        projects = projects_;
        production = production_;
    }

    /// @notice Publishes an immutable version; its number is one more than the project's last, from 1.
    function publish(uint256 projectId, Publication calldata publication) external returns (uint256 version) {
        _onlyOwner(projectId);
        _check(publication);
        (, uint256 cohortSize) = projects.admission(projectId);
        bytes memory key = publication.verifyingKey;
        address keyAccount = VerifyingKey.store(key, FIXED_SIGNALS + cohortSize / 4);
        bytes32 vkHash = keccak256(key);
        version = ++versionCount[projectId];
        _versions[projectId][version] = Version({
            appletId: publication.appletId,
            r1csHash: publication.r1csHash,
            vkHash: vkHash,
            setupTranscriptHash: publication.setupTranscriptHash,
            layoutId: publication.layoutId,
            genesisSequencesHash: publication.genesisSequencesHash,
            genesisStatesHash: publication.genesisStatesHash,
            keyAccount: keyAccount,
            selector: bytes4(vkHash),
            maxUnitsPerFrame: publication.maxUnitsPerFrame,
            cohortSize: uint8(cohortSize),
            frameSize: publication.frameSize,
            devSetup: publication.devSetup
        });
        emit VersionPublished(projectId, version, publication.appletId, vkHash, publication.devSetup);
    }

    /// @notice Lets batches be anchored under `version` from now on, and under no other.
    function activate(uint256 projectId, uint256 version) external {
        _onlyOwner(projectId);
        _known(projectId, version);
        activeVersion[projectId] = version;
        emit VersionActivated(projectId, version);
    }

    function versionOf(uint256 projectId, uint256 version) external view returns (Version memory) {
        return _known(projectId, version);
    }

    /// @notice What a settlement is judged by, in one storage slot.
    function settlementTerms(uint256 projectId, uint256 version)
        external
        view
        returns (address keyAccount, bytes4 selector, uint256 cohortSize, uint256 maxUnitsPerFrame)
    {
        Version storage known = _known(projectId, version);
        return (known.keyAccount, known.selector, known.cohortSize, known.maxUnitsPerFrame);
    }

    function anchorTerms(uint256 projectId, uint256 version)
        external
        view
        returns (bool active, uint256 maxUnitsPerFrame)
    {
        return (activeVersion[projectId] == version && version != 0, _versions[projectId][version].maxUnitsPerFrame);
    }

    function genesis(uint256 projectId, uint256 version)
        external
        view
        returns (uint256 sequencesHash, uint256 statesHash)
    {
        Version storage known = _known(projectId, version);
        return (known.genesisSequencesHash, known.genesisStatesHash);
    }

    function _check(Publication calldata publication) private view {
        if (production && publication.devSetup) revert DevelopmentSetupRefused(publication.appletId);
        uint40 maxUnits = publication.maxUnitsPerFrame;
        if (maxUnits == 0 || maxUnits >= MAX_UNITS_LIMIT) revert MaxUnitsInvalid(maxUnits);
        if (publication.frameSize == 0 || publication.frameSize > 64) revert FrameSizeInvalid(publication.frameSize);
        if (publication.genesisSequencesHash >= R || publication.genesisStatesHash >= R) {
            revert GenesisOutOfField(publication.genesisSequencesHash, publication.genesisStatesHash);
        }
    }

    function _onlyOwner(uint256 projectId) private view {
        if (msg.sender != projects.ownerOf(projectId)) revert NotProjectOwner(projectId, msg.sender);
    }

    function _known(uint256 projectId, uint256 version) private view returns (Version storage known) {
        known = _versions[projectId][version];
        if (known.keyAccount == address(0)) revert VersionUnknown(projectId, version);
    }
}
