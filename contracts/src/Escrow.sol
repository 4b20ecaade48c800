// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ProjectRegistry} from "./ProjectRegistry.sol";

/// @title Escrow
/// @notice The money of all projects, counted in units. Of what a project funded, each unit is free, reserved by an anchor, or
/// credited to a lane or a payee, never two of them; only what is free can be withdrawn or reserved.
/// @dev Reward tokens must not change balances by themselves (no rebasing); a fee on transfer is the funder's loss. A unit's
/// worth in wei never changes, so anchors and settlements count units and touch one storage slot of the account.
abstract contract Escrow is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct Account {
        // one storage slot
        uint120 freeUnits;
        uint120 reservedUnits;
        bool hasBudget;
        /// Funded minus withdrawn; claims do not lower it. Less than a unit of it is in no count.
        uint256 escrowWei;
    }

    /// One storage slot.
    struct Budget {
        /// Units that may be credited in one window.
        uint96 limitUnits;
        uint96 creditedUnits;
        uint32 windowSec;
        /// Number of the window that `creditedUnits` belongs to: time / windowSec.
        uint32 window;
    }

    /// @notice Owners and terms of the projects.
    ProjectRegistry public immutable projects;

    mapping(uint256 projectId => Account) private _accounts;
    mapping(uint256 projectId => Budget) private _budgets;
    /// @notice Units that a payee earned by settling for a project and has not taken yet.
    mapping(uint256 projectId => mapping(address payee => uint256)) public feeUnitsOf;

    /// @notice So much has arrived for a project.
    event Funded(uint256 indexed projectId, address indexed from, uint256 amountWei);
    /// @notice The project's owner has taken back what was free.
    event Withdrawn(uint256 indexed projectId, address indexed to, uint256 amountWei);
    /// @notice At most `limitUnits` are credited in each window from now on; no limit if `windowSec` is 0.
    event BudgetChanged(uint256 indexed projectId, uint256 limitUnits, uint256 windowSec);
    /// @notice A payee was paid what he earned by settling.
    event FeesClaimed(uint256 indexed projectId, address indexed payee, address indexed to, uint256 units, uint256 amountWei);

    /// @notice Only the project's owner may.
    error NotProjectOwner(uint256 projectId, address caller);
    /// @notice Less is free than is asked for: units for an anchor, wei for a withdrawal.
    error EscrowTooLow(uint256 required, uint256 available);
    /// @notice More units than the account can count.
    error EscrowTooHigh(uint256 units);
    /// @notice What is credited in this window and reserved would pass the budget.
    error BudgetExceeded(uint256 projectId, uint256 units, uint256 limitUnits);
    /// @notice Nothing is credited that was not claimed yet.
    error NothingToClaim();
    /// @notice Nothing is paid to the zero address.
    error AddressZero();

    constructor(ProjectRegistry projects_) {
        projects = projects_;
    }

    modifier onlyProjectOwner(uint256 projectId) {
        if (msg.sender != projects.ownerOf(projectId)) revert NotProjectOwner(projectId, msg.sender);
        _;
    }

    /// @notice Adds to a project's escrow what actually arrives of `amountWei`.
    function fund(uint256 projectId, uint256 amountWei) external nonReentrant {
        (address tokenAddress, uint256 rewardPerUnit) = projects.rewardTerms(projectId);
        IERC20 token = IERC20(tokenAddress);
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amountWei);
        uint256 received = token.balanceOf(address(this)) - before;
        Account storage account = _accounts[projectId];
        uint256 escrowWei = account.escrowWei + received;
        uint256 units = escrowWei / rewardPerUnit;
        if (units > type(uint120).max) revert EscrowTooHigh(units);
        account.freeUnits += uint120(units - account.escrowWei / rewardPerUnit);
        account.escrowWei = escrowWei;
        emit Funded(projectId, msg.sender, received);
    }

    /// @notice Returns to the project's owner's choice what is neither credited nor reserved.
    function withdraw(uint256 projectId, uint256 amountWei, address to)
        external
        nonReentrant
        onlyProjectOwner(projectId)
    {
        if (to == address(0)) revert AddressZero();
        (address token, uint256 rewardPerUnit) = projects.rewardTerms(projectId);
        Account storage account = _accounts[projectId];
        uint256 escrowWei = account.escrowWei;
        uint256 available = account.freeUnits * rewardPerUnit + escrowWei % rewardPerUnit;
        if (amountWei > available) revert EscrowTooLow(amountWei, available);
        account.escrowWei = escrowWei - amountWei;
        account.freeUnits -= uint120(escrowWei / rewardPerUnit - (escrowWei - amountWei) / rewardPerUnit);
        emit Withdrawn(projectId, to, amountWei);
        IERC20(token).safeTransfer(to, amountWei);
    }

    /// @notice Limits what may be credited in each window of `windowSec`, counted from 1970; no limit if `windowSec` is 0. Holds for
    /// anchors from now on.
    function setBudget(uint256 projectId, uint96 limitUnits, uint32 windowSec) external onlyProjectOwner(projectId) {
        _accounts[projectId].hasBudget = windowSec != 0;
        Budget storage budget = _budgets[projectId];
        budget.limitUnits = limitUnits;
        if (budget.windowSec != windowSec) {
            budget.creditedUnits = uint96(_creditedInWindow(budget));
            budget.windowSec = windowSec;
            budget.window = windowSec == 0 ? 0 : uint32(block.timestamp / windowSec);
        }
        emit BudgetChanged(projectId, limitUnits, windowSec);
    }

    /// @notice Pays the caller, wherever he wants it, what he earned by settling for a project.
    function claimFees(uint256 projectId, address to) external nonReentrant returns (uint256 amountWei) {
        if (to == address(0)) revert AddressZero();
        uint256 units = feeUnitsOf[projectId][msg.sender];
        if (units == 0) revert NothingToClaim();
        feeUnitsOf[projectId][msg.sender] = 0;
        (address token, uint256 rewardPerUnit) = projects.rewardTerms(projectId);
        amountWei = units * rewardPerUnit;
        emit FeesClaimed(projectId, msg.sender, to, units, amountWei);
        IERC20(token).safeTransfer(to, amountWei);
    }

    /// @notice Escrow in wei, and how many of its units are reserved and how many were ever credited, fees included.
    function accountOf(uint256 projectId)
        external
        view
        returns (uint256 escrowWei, uint256 reservedUnits, uint256 creditedUnits)
    {
        Account storage account = _accounts[projectId];
        (, uint256 rewardPerUnit) = projects.rewardTerms(projectId);
        (escrowWei, reservedUnits) = (account.escrowWei, account.reservedUnits);
        creditedUnits = escrowWei / rewardPerUnit - account.freeUnits - reservedUnits;
    }

    /// @notice A project's limit and what of it is used in the current window.
    function budgetOf(uint256 projectId)
        external
        view
        returns (uint256 limitUnits, uint256 windowSec, uint256 creditedUnits)
    {
        Budget memory budget = _budgets[projectId];
        return (budget.limitUnits, budget.windowSec, _creditedInWindow(budget));
    }

    /// @dev Sets free units aside for batches to come, within the budget.
    function _reserve(uint256 projectId, uint256 units) internal {
        Account storage account = _accounts[projectId];
        uint256 free = account.freeUnits;
        if (units > free) revert EscrowTooLow(units, free);
        uint256 reserved = account.reservedUnits + units;
        if (account.hasBudget) {
            Budget memory budget = _budgets[projectId];
            uint256 used = _creditedInWindow(budget) + reserved;
            if (used > budget.limitUnits) revert BudgetExceeded(projectId, used, budget.limitUnits);
        }
        (account.freeUnits, account.reservedUnits) = (uint120(free - units), uint120(reserved));
    }

    /// @dev Ends a reservation: `credited` of its units are owed from now on, the rest is free again.
    function _release(uint256 projectId, uint256 reserved, uint256 credited) internal {
        Account storage account = _accounts[projectId];
        (account.freeUnits, account.reservedUnits) =
            (uint120(account.freeUnits + (reserved - credited)), uint120(account.reservedUnits - reserved));
        if (credited == 0 || !account.hasBudget) return;
        Budget memory budget = _budgets[projectId];
        budget.creditedUnits = uint96(_creditedInWindow(budget) + credited);
        budget.window = uint32(block.timestamp / budget.windowSec);
        _budgets[projectId] = budget;
    }

    function _creditedInWindow(Budget memory budget) private view returns (uint256) {
        if (budget.windowSec == 0 || block.timestamp / budget.windowSec != budget.window) return 0;
        return budget.creditedUnits;
    }
}
