// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";

/// @title RewardToken
/// @notice The token rewards are paid in: permits, votes, and a cap on all that is ever in circulation, set at construction.
/// @dev Votes are counted by time and not by block: blocks come at other paces on other chains, and on some at no steady one.
contract RewardToken is ERC20, ERC20Permit, ERC20Votes, Ownable {
    /// @notice No more is ever in circulation.
    uint256 public immutable cap;

    /// @notice Minting so would pass the cap.
    error CapExceeded(uint256 supply, uint256 cap);

    /// @param holder_ Whose the first `supply_` is; without one nobody could vote.
    constructor(
        string memory name_,
        string memory symbol_,
        uint256 cap_,
        address owner_,
        address holder_,
        uint256 supply_
    )
        ERC20(name_, symbol_)
        ERC20Permit(name_)
        Ownable(owner_)
    {
        cap = cap_;
        if (supply_ != 0) _mintBelowCap(holder_, supply_);
    }

    /// @notice Mints by the owner, never beyond the cap.
    function mint(address to, uint256 amount) external onlyOwner {
        _mintBelowCap(to, amount);
    }

    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    /// @notice What an account's next permit or delegation by signature has to carry.
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 amount) internal override(ERC20, ERC20Votes) {
        super._update(from, to, amount);
    }

    function _mintBelowCap(address to, uint256 amount) private {
        _mint(to, amount);
        if (totalSupply() > cap) revert CapExceeded(totalSupply(), cap);
    }
}
