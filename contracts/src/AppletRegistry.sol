// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DelayedChanges} from "./DelayedChanges.sol";
import {Groth16Verifier} from "./Groth16Verifier.sol";
import {ProjectRegistry} from "./ProjectRegistry.sol";
import {VerifyingKey} from "./VerifyingKey.sol";

/// @title AppletRegistry
/// @notice The versions of each project's applet: which WASM, which circuit, which verifying key, for ever. A published version
/// never changes; the project's owner publishes, and activates after the project's delay. A settlement always uses the version
/// its anchor names. What nobody can change can still be stopped, for ever: a version by its project's guardian, a verifying
/// key by the registry's guardian or by anybody who proves with it what the circuit makes impossible.
/// @dev The chain binds hashes, not truth: whether the key belongs to the WASM is for an audit outside the chain.
contract AppletRegistry is DelayedChanges {
    struct Publication {
        bytes32 appletId;
        bytes32 r1csHash;
        bytes32 setupTranscriptHash;
        uint256 layoutId;
        uint256 genesisSequencesHash;
        uint256 genesisStatesHash;
        uint8 frameSize;
        uint40 maxUnitsPerFrame;
        /// Units that each settlement pays to the receipt's payee.
        uint40 feeUnits;
        /// Whether the applet's State differs from that of the version published before: cohorts then start it from genesis.
        bool resetsState;
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
        // one storage slot, read by each settlement
        address keyAccount;
        bytes4 selector;
        uint40 maxUnitsPerFrame;
        uint8 cohortSize;
        bool stopped;
        bool paysFee;
        // one storage slot, read by each anchor
        uint40 feeUnits;
        uint40 anchorableUntilTime;
        uint32 stateEpoch;
        uint8 frameSize;
        bool devSetup;
    }

    /// Order of the scalar field.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// A lane carries the sum of a frame's units in fewer than 38 bits.
    uint256 private constant LANE_BITS = 38;
    /// Public signals before the lanes.
    uint256 private constant FIXED_SIGNALS = 8;
    uint40 private constant FOR_EVER = type(uint40).max;
    /// @notice A replaced version stays anchorable for at most so long.
    uint256 public constant MAX_SUNSET_SEC = 365 days;

    /// @notice Owners and delays of the projects.
    ProjectRegistry public immutable projects;
    /// @notice Checks the proofs that stop a key.
    Groth16Verifier public immutable verifier;
    /// @notice A production registry refuses versions whose key comes from a development setup.
    bool public immutable production;

    /// @notice May stop verifying keys and say who audits, nothing else.
    address public guardian;
    /// @notice Whom the guardian proposed as his successor; 0 if nobody.
    address public pendingGuardian;
    /// @notice Once there are auditors, a version is activated only if one of them attested it.
    uint256 public auditorCount;
    /// @notice Whether an account may attest versions.
    mapping(address account => bool) public isAuditor;
    /// @notice The auditor who attested a version last; 0 if none did.
    mapping(uint256 projectId => mapping(uint256 version => address)) public attestedBy;
    /// @notice Versions that a project has published; the last one's number.
    mapping(uint256 projectId => uint256) public versionCount;
    /// @notice The version activated last; replaced ones stay anchorable until their sunset.
    mapping(uint256 projectId => uint256) public activeVersion;
    /// @notice Account whose code is the key, after one STOP byte.
    mapping(bytes32 vkHash => address) public keyAccountOf;
    /// @notice Whether a verifying key is stopped, for ever and in all projects.
    mapping(address keyAccount => bool) public isKeyStopped;
    mapping(uint256 projectId => mapping(uint256 version => Version)) private _versions;

    /// @notice A project has published an immutable version; it is not active yet.
    event VersionPublished(
        uint256 indexed projectId, uint256 indexed version, bytes32 indexed appletId, bytes32 vkHash, bool devSetup
    );
    /// @notice Batches can be anchored under the version from now on.
    event VersionActivated(uint256 indexed projectId, uint256 indexed version);
    /// @notice A replaced version can be anchored until then.
    event VersionSunset(uint256 indexed projectId, uint256 indexed version, uint256 anchorableUntilTime);
    /// @notice A version of one project is stopped for ever; `by` is the project's owner or guardian.
    event VersionStopped(uint256 indexed projectId, uint256 indexed version, address by);
    /// @notice A verifying key is stopped for ever; `by` is the guardian or who proved the impossible.
    event KeyStopped(bytes32 indexed vkHash, address by);
    /// @notice The account may attest versions from now on, or no longer.
    event AuditorChanged(address indexed auditor, bool audits);
    /// @notice An auditor has attested a version.
    event VersionAttested(uint256 indexed projectId, uint256 indexed version, address indexed auditor, bytes32 vkHash);
    /// @notice The guardian has named a successor, who has to accept.
    event GuardianProposed(address guardian);
    /// @notice The guardian's role has passed to another account.
    event GuardianChanged(address guardian);

    /// @notice Only the project's owner may.
    error NotProjectOwner(uint256 projectId, address caller);
    /// @notice Only the registry's guardian may, or for `acceptGuardian` the successor that he proposed.
    error NotGuardian(address caller);
    /// @notice Only an auditor may.
    error NotAuditor(address caller);
    /// @notice The account audits, or does not, already.
    error AuditorUnchanged(address auditor, bool audits);
    /// @notice No present auditor has attested the version.
    error VersionNotAttested(uint256 projectId, uint256 version);
    /// @notice The version is not the one that was audited; these are its own.
    error OtherPublication(bytes32 appletId, bytes32 vkHash);
    /// @notice The project has published no version of this number.
    error VersionUnknown(uint256 projectId, uint256 version);
    /// @notice The version was never activated, or its sunset is over.
    error VersionNotActive(uint256 projectId, uint256 version);
    /// @notice The version or its verifying key is stopped, for ever.
    error VersionIsStopped(uint256 projectId, uint256 version);
    /// @notice No version has this verifying key.
    error KeyUnknown(bytes32 vkHash);
    /// @notice No lane of the journal is 2^38 or more, so it proves nothing against the key.
    error NothingImpossible(bytes32 vkHash);
    /// @notice A production registry takes no key of a development setup.
    error DevelopmentSetupRefused(bytes32 appletId);
    /// @notice The most units of a frame must be from 1 to 2^38 − 1.
    error MaxUnitsInvalid(uint40 maxUnitsPerFrame);
    /// @notice A frame has 1 to 64 readings.
    error FrameSizeInvalid(uint8 frameSize);
    /// @notice Both genesis hashes must be below the field's order.
    error GenesisOutOfField(uint256 sequencesHash, uint256 statesHash);
    /// @notice A sunset is at most `maximum` seconds.
    error SunsetTooLong(uint256 sunsetSec, uint256 maximum);

    constructor(ProjectRegistry projects_, Groth16Verifier verifier_, bool production_, address guardian_) {
        projects = projects_;
        verifier = verifier_;
        production = production_;
        guardian = guardian_;
    }

    /// @notice Publishes an immutable version; its number is one more than the project's last, from 1.
    function publish(uint256 projectId, Publication calldata publication) external returns (uint256 version) {
        _onlyOwner(projectId);
        _check(publication);
        (, uint256 cohortSize) = projects.admission(projectId);
        bytes memory key = publication.verifyingKey;
        address keyAccount = VerifyingKey.store(key, FIXED_SIGNALS + cohortSize / 4);
        bytes32 vkHash = keccak256(key);
        keyAccountOf[vkHash] = keyAccount;
        version = ++versionCount[projectId];
        uint32 stateEpoch = _versions[projectId][version - 1].stateEpoch + (publication.resetsState ? 1 : 0);
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
            stopped: false,
            paysFee: publication.feeUnits != 0,
            feeUnits: publication.feeUnits,
            anchorableUntilTime: 0,
            stateEpoch: stateEpoch,
            frameSize: publication.frameSize,
            devSetup: publication.devSetup
        });
        emit VersionPublished(projectId, version, publication.appletId, vkHash, publication.devSetup);
    }

    /// @notice Lets batches be anchored under `version`, after the project's delay. The version before stays anchorable for
    /// `sunsetSec` more, so that devices with old firmware are not cut off.
    function activate(uint256 projectId, uint256 version, uint256 sunsetSec) external {
        uint256 delaySec = _onlyOwner(projectId);
        _known(projectId, version);
        if (sunsetSec > MAX_SUNSET_SEC) revert SunsetTooLong(sunsetSec, MAX_SUNSET_SEC);
        if (_immediate(projectId, activation(version, sunsetSec), delaySec)) _activate(projectId, version, sunsetSec);
    }

    /// @notice Carries out a scheduled activation once it is due; by anybody.
    function applyActivation(uint256 projectId, uint256 version, uint256 sunsetSec) external {
        _carryOut(projectId, activation(version, sunsetSec));
        _activate(projectId, version, sunsetSec);
    }

    /// @notice Takes back a scheduled activation. By the project's owner or guardian.
    function cancelChange(uint256 projectId, bytes32 changeId) external {
        projects.onlyOwnerOrGuardian(projectId, msg.sender);
        _cancel(projectId, changeId);
    }

    /// @notice Stops one version of one project for ever. By the project's owner or guardian.
    function stopVersion(uint256 projectId, uint256 version) external {
        projects.onlyOwnerOrGuardian(projectId, msg.sender);
        _known(projectId, version).stopped = true;
        emit VersionStopped(projectId, version, msg.sender);
    }

    /// @notice Stops a verifying key for ever, in all projects. By the registry's guardian.
    function stopKey(bytes32 vkHash) external {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        _stopKey(vkHash, _knownKey(vkHash));
    }

    /// @notice Stops a verifying key for ever, by proving with it a journal that the batch circuit cannot have: a lane of 2^38 or
    /// more. By anybody; the proof need belong to no batch.
    function stopKeyByProof(bytes32 vkHash, uint256[] calldata signals, bytes calldata proof) external {
        address keyAccount = _knownKey(vkHash);
        bool impossible = false;
        for (uint256 i = FIXED_SIGNALS; i < signals.length; i++) {
            for (uint256 shift = 0; shift < 256; shift += 64) {
                if (uint64(signals[i] >> shift) >> LANE_BITS != 0) impossible = true;
            }
        }
        if (!impossible) revert NothingImpossible(vkHash);
        verifier.verify(keyAccount, signals, proof);
        _stopKey(vkHash, keyAccount);
    }

    /// @notice Attests that an audit found the version's key to belong to its circuit, and that to the applet. By an auditor, also
    /// while the activation waits for its delay.
    /// @param appletId And `vkHash`: what was audited, so that an attestation sent before a reorganisation meets no other version.
    function attest(uint256 projectId, uint256 version, bytes32 appletId, bytes32 vkHash) external {
        if (!isAuditor[msg.sender]) revert NotAuditor(msg.sender);
        Version storage known = _known(projectId, version);
        if (known.appletId != appletId || known.vkHash != vkHash) revert OtherPublication(known.appletId, known.vkHash);
        attestedBy[projectId][version] = msg.sender;
        emit VersionAttested(projectId, version, msg.sender, vkHash);
    }

    /// @notice Says who audits; one who no longer does, his attestations count no more for activations to come. By the guardian.
    function setAuditor(address auditor, bool audits) external {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        if (isAuditor[auditor] == audits) revert AuditorUnchanged(auditor, audits);
        isAuditor[auditor] = audits;
        auditorCount = audits ? auditorCount + 1 : auditorCount - 1;
        emit AuditorChanged(auditor, audits);
    }

    /// @notice Hands the guardian's role on in two steps: a key nobody holds must not end up with it.
    function proposeGuardian(address proposed) external {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        pendingGuardian = proposed;
        emit GuardianProposed(proposed);
    }

    /// @notice Takes the guardian's role. By the account that the guardian proposed.
    function acceptGuardian() external {
        if (msg.sender != pendingGuardian) revert NotGuardian(msg.sender);
        (guardian, pendingGuardian) = (msg.sender, address(0));
        emit GuardianChanged(msg.sender);
    }

    /// @notice All that is known of a version; reverts for an unknown one.
    function versionOf(uint256 projectId, uint256 version) external view returns (Version memory) {
        return _known(projectId, version);
    }

    /// @notice What an anchor is judged by; reverts unless batches can be anchored under the version now.
    /// @return reservedUnits The most a batch can cost: its units and the fee.
    function anchorTerms(uint256 projectId, uint256 version)
        external
        view
        returns (uint256 reservedUnits, uint256 stateEpoch)
    {
        Version storage known = _versions[projectId][version];
        if (block.timestamp >= known.anchorableUntilTime) revert VersionNotActive(projectId, version);
        if (known.stopped || isKeyStopped[known.keyAccount]) revert VersionIsStopped(projectId, version);
        return (_reservedUnits(known), known.stateEpoch);
    }

    /// @notice What a settlement is judged by; reverts if the version or its key is stopped.
    function settlementTerms(uint256 projectId, uint256 version)
        external
        view
        returns (address keyAccount, bytes4 selector, uint256 cohortSize, uint256 maxUnitsPerFrame, uint256 feeUnits)
    {
        Version storage known = _known(projectId, version);
        keyAccount = known.keyAccount;
        if (known.stopped || isKeyStopped[keyAccount]) revert VersionIsStopped(projectId, version);
        if (known.paysFee) feeUnits = known.feeUnits;
        return (keyAccount, known.selector, known.cohortSize, known.maxUnitsPerFrame, feeUnits);
    }

    /// @notice What voiding an anchor is judged by.
    function voidTerms(uint256 projectId, uint256 version)
        external
        view
        returns (uint256 reservedUnits, bool isStopped)
    {
        Version storage known = _known(projectId, version);
        return (_reservedUnits(known), known.stopped || isKeyStopped[known.keyAccount]);
    }

    /// @notice Halves of the ledger that a cohort starts from under the version.
    function genesis(uint256 projectId, uint256 version)
        external
        view
        returns (uint256 sequencesHash, uint256 statesHash)
    {
        Version storage known = _known(projectId, version);
        return (known.genesisSequencesHash, known.genesisStatesHash);
    }

    /// @notice Names an activation in `dueAtTime` and `cancelChange`.
    function activation(uint256 version, uint256 sunsetSec) public pure returns (bytes32) {
        return keccak256(abi.encode("activate", version, sunsetSec));
    }

    function _activate(uint256 projectId, uint256 version, uint256 sunsetSec) private {
        Version storage next = _versions[projectId][version];
        if (next.stopped || isKeyStopped[next.keyAccount]) revert VersionIsStopped(projectId, version);
        address auditor = attestedBy[projectId][version];
        if (auditorCount != 0 && (auditor == address(0) || !isAuditor[auditor])) revert VersionNotAttested(projectId, version);
        uint256 last = activeVersion[projectId];
        if (last != 0 && last != version) {
            uint256 until = block.timestamp + sunsetSec;
            _versions[projectId][last].anchorableUntilTime = uint40(until);
            emit VersionSunset(projectId, last, until);
        }
        next.anchorableUntilTime = FOR_EVER;
        activeVersion[projectId] = version;
        emit VersionActivated(projectId, version);
    }

    function _stopKey(bytes32 vkHash, address keyAccount) private {
        isKeyStopped[keyAccount] = true;
        emit KeyStopped(vkHash, msg.sender);
    }

    function _check(Publication calldata publication) private view {
        if (production && publication.devSetup) revert DevelopmentSetupRefused(publication.appletId);
        uint40 maxUnits = publication.maxUnitsPerFrame;
        if (maxUnits == 0 || maxUnits >> LANE_BITS != 0) revert MaxUnitsInvalid(maxUnits);
        if (publication.frameSize == 0 || publication.frameSize > 64) revert FrameSizeInvalid(publication.frameSize);
        if (publication.genesisSequencesHash >= R || publication.genesisStatesHash >= R) {
            revert GenesisOutOfField(publication.genesisSequencesHash, publication.genesisStatesHash);
        }
    }

    function _reservedUnits(Version storage known) private view returns (uint256) {
        return uint256(known.cohortSize) * known.maxUnitsPerFrame + known.feeUnits;
    }

    function _onlyOwner(uint256 projectId) private view returns (uint256 delaySec) {
        address owner;
        (owner, delaySec) = projects.ownerTerms(projectId);
        if (msg.sender != owner) revert NotProjectOwner(projectId, msg.sender);
    }

    function _known(uint256 projectId, uint256 version) private view returns (Version storage known) {
        known = _versions[projectId][version];
        if (known.keyAccount == address(0)) revert VersionUnknown(projectId, version);
    }

    function _knownKey(bytes32 vkHash) private view returns (address keyAccount) {
        keyAccount = keyAccountOf[vkHash];
        if (keyAccount == address(0)) revert KeyUnknown(vkHash);
    }
}
