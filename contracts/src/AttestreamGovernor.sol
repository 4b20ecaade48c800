// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {
    GovernorVotesQuorumFraction
} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";

/// @title AttestreamGovernor
/// @notice Holders of the reward token vote; what they decide is carried out by a timelock, which owns what is governed.
/// @dev The governor creates its timelock, so nobody else ever held a role in it. Only the governor proposes and executes there;
/// a canceller, if one is named, can stop what is queued and nothing else. Times are in the token's clock, which is seconds.
contract AttestreamGovernor is
    Governor,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotes,
    GovernorVotesQuorumFraction,
    GovernorTimelockControl
{
    struct Terms {
        uint48 votingDelaySec;
        uint32 votingPeriodSec;
        uint256 proposalThresholdWei;
        /// Part of all votes that must take part, for or abstaining.
        uint256 quorumPercent;
        uint256 timelockDelaySec;
        /// Zero: none.
        address canceller;
    }

    constructor(IVotes token_, Terms memory terms)
        Governor("Attestream Governor")
        GovernorSettings(terms.votingDelaySec, terms.votingPeriodSec, terms.proposalThresholdWei)
        GovernorVotes(token_)
        GovernorVotesQuorumFraction(terms.quorumPercent)
        GovernorTimelockControl(_createTimelock(terms.timelockDelaySec, terms.canceller))
    {}

    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    function state(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (ProposalState)
    {
        return super.state(proposalId);
    }

    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.proposalNeedsQueuing(proposalId);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }

    function _createTimelock(uint256 delaySec, address canceller) private returns (TimelockController created) {
        address[] memory governor = new address[](1);
        governor[0] = address(this);
        created = new TimelockController(delaySec, governor, governor, address(this));
        if (canceller != address(0)) created.grantRole(created.CANCELLER_ROLE(), canceller);
        created.renounceRole(created.DEFAULT_ADMIN_ROLE(), address(this));
    }
}
