// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DelayedChanges} from "./DelayedChanges.sol";

/// @title ProjectRegistry
/// @notice Who asks and pays: the roles and the terms of every project. Anybody may create a project; it concerns nobody else.
/// @dev Reward token, reward per unit and cohort size never change: they price and shape what is already credited.
/// The owner may be a timelock or a governor; this contract does not care. What a project pays for (config, applet version)
/// changes after the project's delay; who runs it (sequencer, admitter, guardian) changes at once, as a lost key demands.
contract ProjectRegistry is DelayedChanges {
    struct ProjectTerms {
        address owner;
        address admitter;
        address sequencer;
        address guardian;
        address rewardToken;
        uint88 rewardPerUnit;
        uint8 cohortSize;
        uint32 delaySec;
        uint256 configHash;
    }

    struct Project {
        address owner;
        uint32 delaySec;
        address pendingOwner;
        address guardian;
        // read together by a registration
        address admitter;
        uint8 cohortSize;
        // read together by a claim
        address rewardToken;
        uint88 rewardPerUnit;
        // read together by an anchor
        address sequencer;
        uint256 configHash;
    }

    /// Order of the scalar field: a config hash is one of its elements.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @notice No delay is longer, or a slip would freeze a project.
    uint256 public constant MAX_DELAY_SEC = 90 days;

    /// @notice Projects ever created; the last one's id.
    uint256 public projectCount;
    mapping(uint256 projectId => Project) private _projects;

    /// @notice A project was created with these terms.
    event ProjectCreated(uint256 indexed projectId, address indexed owner, ProjectTerms terms);
    /// @notice Admissions and rotations need this account's signature from now on.
    event AdmitterChanged(uint256 indexed projectId, address admitter);
    /// @notice This account anchors, and voids, from now on.
    event SequencerChanged(uint256 indexed projectId, address sequencer);
    /// @notice This account may stop the project's versions and cancel its scheduled changes from now on.
    event GuardianChanged(uint256 indexed projectId, address guardian);
    /// @notice Batches anchored from now on are judged by this config.
    event ConfigChanged(uint256 indexed projectId, uint256 configHash);
    /// @notice The project's changes wait for so long from now on.
    event DelayChanged(uint256 indexed projectId, uint256 delaySec);
    /// @notice The owner has named a successor, who has to accept.
    event OwnerProposed(uint256 indexed projectId, address owner);
    /// @notice The project has passed to another owner.
    event OwnerChanged(uint256 indexed projectId, address owner);

    /// @notice No project has this id.
    error ProjectUnknown(uint256 projectId);
    /// @notice Only the project's owner may.
    error NotProjectOwner(uint256 projectId, address caller);
    /// @notice Only the project's owner or guardian may.
    error NotProjectGuardian(uint256 projectId, address caller);
    /// @notice Only the account that the owner proposed may accept.
    error NotProposedOwner(uint256 projectId, address caller);
    /// @notice A cohort has 4, 8, 16, 32 or 64 devices.
    error CohortSizeInvalid(uint8 cohortSize);
    /// @notice A unit must be worth at least one wei of the reward token.
    error RewardPerUnitZero();
    /// @notice A config hash is below the field's order.
    error ConfigHashOutOfField(uint256 configHash);
    /// @notice A delay is at most `maximum` seconds.
    error DelayTooLong(uint256 delaySec, uint256 maximum);
    /// @notice Owner and reward token must not be the zero address.
    error AddressZero();

    modifier onlyOwner(uint256 projectId) {
        if (msg.sender != ownerOf(projectId)) revert NotProjectOwner(projectId, msg.sender);
        _;
    }

    /// @notice Creates a project; its id is one more than the last. `terms.rewardPerUnit` is wei of the reward token per unit.
    function create(ProjectTerms calldata terms) external returns (uint256 projectId) {
        uint8 size = terms.cohortSize;
        if (size < 4 || size > 64 || size & (size - 1) != 0) revert CohortSizeInvalid(size);
        if (terms.rewardPerUnit == 0) revert RewardPerUnitZero();
        if (terms.owner == address(0) || terms.rewardToken == address(0)) revert AddressZero();
        _checkConfig(terms.configHash);
        _checkDelay(terms.delaySec);
        projectId = ++projectCount;
        _projects[projectId] = Project({
            owner: terms.owner,
            delaySec: terms.delaySec,
            pendingOwner: address(0),
            guardian: terms.guardian,
            admitter: terms.admitter,
            cohortSize: size,
            rewardToken: terms.rewardToken,
            rewardPerUnit: terms.rewardPerUnit,
            sequencer: terms.sequencer,
            configHash: terms.configHash
        });
        emit ProjectCreated(projectId, terms.owner, terms);
    }

    /// @notice Changes, at once, who signs admissions and rotations. By the owner.
    function setAdmitter(uint256 projectId, address admitter) external onlyOwner(projectId) {
        _projects[projectId].admitter = admitter;
        emit AdmitterChanged(projectId, admitter);
    }

    /// @notice Changes, at once, who anchors batches. By the owner.
    function setSequencer(uint256 projectId, address sequencer) external onlyOwner(projectId) {
        _projects[projectId].sequencer = sequencer;
        emit SequencerChanged(projectId, sequencer);
    }

    /// @notice The guardian may stop the project's versions for ever and cancel its scheduled changes, nothing else.
    function setGuardian(uint256 projectId, address guardian) external onlyOwner(projectId) {
        _projects[projectId].guardian = guardian;
        emit GuardianChanged(projectId, guardian);
    }

    /// @notice Takes effect, after the project's delay, for batches anchored from then on; anchored ones keep their config.
    function setConfig(uint256 projectId, uint256 configHash) external onlyOwner(projectId) {
        _checkConfig(configHash);
        if (_immediate(projectId, configChange(configHash), _projects[projectId].delaySec)) {
            _applyConfig(projectId, configHash);
        }
    }

    /// @notice Carries out a scheduled change of config once it is due; by anybody.
    function applyConfig(uint256 projectId, uint256 configHash) external {
        _carryOut(projectId, configChange(configHash));
        _applyConfig(projectId, configHash);
    }

    /// @notice A longer delay holds at once; a shorter one after the delay that it shortens.
    function setDelay(uint256 projectId, uint32 delaySec) external onlyOwner(projectId) {
        _checkDelay(delaySec);
        uint256 current = _projects[projectId].delaySec;
        if (delaySec >= current || _immediate(projectId, delayChange(projectId, delaySec), current)) {
            _applyDelay(projectId, delaySec);
        }
    }

    /// @notice Carries out a scheduled change of the delay once it is due; by anybody.
    function applyDelay(uint256 projectId, uint32 delaySec) external {
        _carryOut(projectId, delayChange(projectId, delaySec));
        _applyDelay(projectId, delaySec);
    }

    /// @notice Takes back a scheduled change of config or delay. By the project's owner or guardian.
    function cancelChange(uint256 projectId, bytes32 changeId) external {
        onlyOwnerOrGuardian(projectId, msg.sender);
        _cancel(projectId, changeId);
    }

    /// @notice Hands the project on in two steps. By the owner.
    function proposeOwner(uint256 projectId, address owner) external onlyOwner(projectId) {
        _projects[projectId].pendingOwner = owner;
        emit OwnerProposed(projectId, owner);
    }

    /// @notice Takes the project over. By the account that the owner proposed.
    function acceptOwnership(uint256 projectId) external {
        if (msg.sender != _projects[projectId].pendingOwner) revert NotProposedOwner(projectId, msg.sender);
        _projects[projectId].owner = msg.sender;
        _projects[projectId].pendingOwner = address(0);
        emit OwnerChanged(projectId, msg.sender);
    }

    /// @notice Everything fixed or set for a project; reverts for an unknown one.
    function termsOf(uint256 projectId) external view returns (ProjectTerms memory) {
        Project storage project = _known(projectId);
        return ProjectTerms({
            owner: project.owner,
            admitter: project.admitter,
            sequencer: project.sequencer,
            guardian: project.guardian,
            rewardToken: project.rewardToken,
            rewardPerUnit: project.rewardPerUnit,
            cohortSize: project.cohortSize,
            delaySec: project.delaySec,
            configHash: project.configHash
        });
    }

    /// @notice What an anchor is judged by, in two storage slots; all zero for an unknown project.
    function anchorTerms(uint256 projectId) external view returns (address sequencer, uint256 configHash) {
        Project storage project = _projects[projectId];
        return (project.sequencer, project.configHash);
    }

    /// @notice What a payment needs, in one storage slot; reverts for an unknown project.
    function rewardTerms(uint256 projectId) external view returns (address rewardToken, uint256 rewardPerUnit) {
        Project storage project = _projects[projectId];
        (rewardToken, rewardPerUnit) = (project.rewardToken, project.rewardPerUnit);
        if (rewardToken == address(0)) revert ProjectUnknown(projectId);
    }

    /// @notice The project's owner; reverts for an unknown project.
    function ownerOf(uint256 projectId) public view returns (address) {
        return _known(projectId).owner;
    }

    /// @notice What a registration needs, in one storage slot; reverts for an unknown project.
    function admission(uint256 projectId) external view returns (address admitter, uint256 cohortSize) {
        Project storage project = _projects[projectId];
        (admitter, cohortSize) = (project.admitter, project.cohortSize);
        if (cohortSize == 0) revert ProjectUnknown(projectId);
    }

    /// @notice Who may change the project, and after how long.
    function ownerTerms(uint256 projectId) external view returns (address owner, uint256 delaySec) {
        Project storage project = _known(projectId);
        return (project.owner, project.delaySec);
    }

    /// @notice Reverts unless `account` is the project's owner or guardian.
    function onlyOwnerOrGuardian(uint256 projectId, address account) public view {
        Project storage project = _known(projectId);
        if (account != project.owner && account != project.guardian) revert NotProjectGuardian(projectId, account);
    }

    /// @notice Names a change of config in `dueAtTime` and `cancelChange`.
    function configChange(uint256 configHash) public pure returns (bytes32) {
        return keccak256(abi.encode("config", configHash));
    }

    /// @notice Names a change of the present delay in `dueAtTime` and `cancelChange`; under another delay it has to be scheduled anew.
    function delayChange(uint256 projectId, uint32 delaySec) public view returns (bytes32) {
        return keccak256(abi.encode("delay", _projects[projectId].delaySec, delaySec));
    }

    function _applyConfig(uint256 projectId, uint256 configHash) private {
        _projects[projectId].configHash = configHash;
        emit ConfigChanged(projectId, configHash);
    }

    function _applyDelay(uint256 projectId, uint32 delaySec) private {
        _projects[projectId].delaySec = delaySec;
        emit DelayChanged(projectId, delaySec);
    }

    function _checkConfig(uint256 configHash) private pure {
        if (configHash >= R) revert ConfigHashOutOfField(configHash);
    }

    function _checkDelay(uint256 delaySec) private pure {
        if (delaySec > MAX_DELAY_SEC) revert DelayTooLong(delaySec, MAX_DELAY_SEC);
    }

    function _known(uint256 projectId) private view returns (Project storage project) {
        project = _projects[projectId];
        if (project.owner == address(0)) revert ProjectUnknown(projectId);
    }
}
