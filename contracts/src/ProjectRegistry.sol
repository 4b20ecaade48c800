// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title ProjectRegistry
/// @notice Who asks and pays: the roles and the terms of every project. Anybody may create a project; it concerns nobody else.
/// @dev Reward token, reward per unit and cohort size never change: they price and shape what is already credited.
/// The owner may be a timelock or a governor; this contract does not care.
contract ProjectRegistry {
    struct Project {
        address owner;
        address pendingOwner;
        address admitter;
        address rewardToken;
        uint256 configHash;
        // one storage slot, read together by each anchor
        address sequencer;
        uint88 rewardPerUnit;
        uint8 cohortSize;
    }

    struct ProjectTerms {
        address owner;
        address admitter;
        address sequencer;
        address rewardToken;
        uint88 rewardPerUnit;
        uint8 cohortSize;
        uint256 configHash;
    }

    /// Order of the scalar field: a config hash is one of its elements.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    uint256 public projectCount;
    mapping(uint256 projectId => Project) private _projects;

    event ProjectCreated(uint256 indexed projectId, address indexed owner, ProjectTerms terms);
    event AdmitterChanged(uint256 indexed projectId, address admitter);
    event SequencerChanged(uint256 indexed projectId, address sequencer);
    event ConfigChanged(uint256 indexed projectId, uint256 configHash);
    event OwnerProposed(uint256 indexed projectId, address owner);
    event OwnerChanged(uint256 indexed projectId, address owner);

    error ProjectUnknown(uint256 projectId);
    error NotProjectOwner(uint256 projectId, address caller);
    error NotProposedOwner(uint256 projectId, address caller);
    error CohortSizeInvalid(uint8 cohortSize);
    error RewardPerUnitZero();
    error ConfigHashOutOfField(uint256 configHash);
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
        if (terms.configHash >= R) revert ConfigHashOutOfField(terms.configHash);
        if (terms.owner == address(0) || terms.rewardToken == address(0)) revert AddressZero();
        projectId = ++projectCount;
        _projects[projectId] = Project({
            owner: terms.owner,
            pendingOwner: address(0),
            admitter: terms.admitter,
            rewardToken: terms.rewardToken,
            configHash: terms.configHash,
            sequencer: terms.sequencer,
            rewardPerUnit: terms.rewardPerUnit,
            cohortSize: size
        });
        emit ProjectCreated(projectId, terms.owner, terms);
    }

    function setAdmitter(uint256 projectId, address admitter) external onlyOwner(projectId) {
        _projects[projectId].admitter = admitter;
        emit AdmitterChanged(projectId, admitter);
    }

    function setSequencer(uint256 projectId, address sequencer) external onlyOwner(projectId) {
        _projects[projectId].sequencer = sequencer;
        emit SequencerChanged(projectId, sequencer);
    }

    /// @notice Takes effect for batches anchored from now on; anchored ones keep the config they were anchored with.
    function setConfig(uint256 projectId, uint256 configHash) external onlyOwner(projectId) {
        if (configHash >= R) revert ConfigHashOutOfField(configHash);
        _projects[projectId].configHash = configHash;
        emit ConfigChanged(projectId, configHash);
    }

    function proposeOwner(uint256 projectId, address owner) external onlyOwner(projectId) {
        _projects[projectId].pendingOwner = owner;
        emit OwnerProposed(projectId, owner);
    }

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
            rewardToken: project.rewardToken,
            rewardPerUnit: project.rewardPerUnit,
            cohortSize: project.cohortSize,
            configHash: project.configHash
        });
    }

    /// @notice What an anchor is judged by, in two storage slots; all zero for an unknown project.
    function anchorTerms(uint256 projectId)
        external
        view
        returns (address sequencer, uint256 rewardPerUnit, uint256 cohortSize, uint256 configHash)
    {
        Project storage project = _projects[projectId];
        return (project.sequencer, project.rewardPerUnit, project.cohortSize, project.configHash);
    }

    /// @notice What a payment needs; reverts for an unknown project.
    function rewardTerms(uint256 projectId) external view returns (address rewardToken, uint256 rewardPerUnit) {
        Project storage project = _known(projectId);
        return (project.rewardToken, project.rewardPerUnit);
    }

    function ownerOf(uint256 projectId) public view returns (address) {
        return _known(projectId).owner;
    }

    function admission(uint256 projectId) external view returns (address admitter, uint256 cohortSize) {
        Project storage project = _known(projectId);
        return (project.admitter, project.cohortSize);
    }

    function _known(uint256 projectId) private view returns (Project storage project) {
        project = _projects[projectId];
        if (project.cohortSize == 0) revert ProjectUnknown(projectId);
    }
}
