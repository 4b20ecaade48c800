// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title DelayedChanges
/// @notice A project's changes that everybody must see coming: scheduled by its owner, carried out by anybody once their delay
/// has passed, and lapsed if nobody does in time, so that nothing lies in wait for ever.
abstract contract DelayedChanges {
    /// @notice A change that was due for so long without being carried out has to be scheduled again.
    uint256 public constant CHANGE_LIFETIME_SEC = 14 days;

    /// @notice When a scheduled change is due; 0 if it is not scheduled.
    mapping(uint256 projectId => mapping(bytes32 changeId => uint256)) public dueAtTime;

    /// @notice A change can be carried out from `dueAtTime` on.
    event ChangeScheduled(uint256 indexed projectId, bytes32 indexed changeId, uint256 dueAtTime);
    /// @notice A scheduled change was taken back.
    event ChangeCancelled(uint256 indexed projectId, bytes32 indexed changeId);

    /// @notice Nothing is scheduled under this name: never, or it was carried out or cancelled.
    error ChangeNotScheduled(uint256 projectId, bytes32 changeId);
    /// @notice The change has to wait until `dueAtTime`.
    error ChangeNotDue(uint256 projectId, bytes32 changeId, uint256 dueAtTime);
    /// @notice Nobody carried the change out in time; it has to be scheduled again.
    error ChangeLapsed(uint256 projectId, bytes32 changeId, uint256 lapsedAtTime);

    /// @dev Returns whether the change takes effect at once; otherwise schedules it, anew if it was scheduled before.
    function _immediate(uint256 projectId, bytes32 changeId, uint256 delaySec) internal returns (bool) {
        if (delaySec == 0) return true;
        uint256 due = block.timestamp + delaySec;
        dueAtTime[projectId][changeId] = due;
        emit ChangeScheduled(projectId, changeId, due);
        return false;
    }

    /// @dev Reverts unless the change is due; it cannot be carried out a second time.
    function _carryOut(uint256 projectId, bytes32 changeId) internal {
        uint256 due = dueAtTime[projectId][changeId];
        if (due == 0) revert ChangeNotScheduled(projectId, changeId);
        if (block.timestamp < due) revert ChangeNotDue(projectId, changeId, due);
        uint256 lapse = due + CHANGE_LIFETIME_SEC;
        if (block.timestamp > lapse) revert ChangeLapsed(projectId, changeId, lapse);
        delete dueAtTime[projectId][changeId];
    }

    function _cancel(uint256 projectId, bytes32 changeId) internal {
        if (dueAtTime[projectId][changeId] == 0) revert ChangeNotScheduled(projectId, changeId);
        delete dueAtTime[projectId][changeId];
        emit ChangeCancelled(projectId, changeId);
    }
}
