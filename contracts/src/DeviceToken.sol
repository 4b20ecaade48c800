// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// @title DeviceToken
/// @notice The ERC-721 token of a device, whose owner lies in one storage slot with all else that a claim asks about a device.
/// @dev OpenZeppelin's ERC721 with the three places overridden where it touches owners and balances; approvals, receivers and
/// authorisation are its own. There is no burning.
abstract contract DeviceToken is ERC721 {
    enum Status {
        Active,
        Suspended,
        Revoked
    }

    /// One storage slot.
    struct Device {
        address owner;
        uint32 projectId;
        /// cohort · 64 + slot.
        uint32 place;
        Status status;
        /// Hours since 1970 when the key was changed last; 0 before the first change.
        uint24 keyChangedAtHour;
    }

    mapping(uint256 deviceId => Device) internal _devices;
    mapping(address owner => uint256) private _balanceOf;

    /// @notice How many devices an account owns.
    function balanceOf(address owner) public view override returns (uint256) {
        if (owner == address(0)) revert ERC721InvalidOwner(address(0));
        return _balanceOf[owner];
    }

    function _ownerOf(uint256 tokenId) internal view override returns (address) {
        return _devices[tokenId].owner;
    }

    /// @dev As ERC721._update, on this contract's owners and balances; `to` is never the zero address.
    function _update(address to, uint256 tokenId, address auth) internal virtual override returns (address from) {
        from = _ownerOf(tokenId);
        if (auth != address(0)) _checkAuthorized(from, auth, tokenId);
        if (from != address(0)) {
            _approve(address(0), tokenId, address(0), false);
            _balanceOf[from]--;
        }
        _balanceOf[to]++;
        _devices[tokenId].owner = to;
        emit Transfer(from, to, tokenId);
    }
}
