// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title BabyJubJub
/// @notice The two checks a public key must pass before a device is registered: on the curve, and not of low order.
/// @dev a·x² + y² = 1 + d·x²·y² with a = 168700 (a square) and d = 168696 (not a square): the doubling formulas below are
/// complete on it, no input needs an exception.
library BabyJubJub {
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant A = 168700;
    uint256 private constant D = 168696;

    /// @notice Whether both coordinates are canonical and on the curve, and 8·(x, y) is not the identity.
    function isKey(uint256 x, uint256 y) internal pure returns (bool) {
        return x < R && y < R && isOnCurve(x, y) && !isLowOrder(x, y);
    }

    /// @notice Whether the point is on the curve; both coordinates below R.
    function isOnCurve(uint256 x, uint256 y) internal pure returns (bool) {
        uint256 xx = mulmod(x, x, R);
        uint256 yy = mulmod(y, y, R);
        return addmod(mulmod(A, xx, R), yy, R) == addmod(1, mulmod(D, mulmod(xx, yy, R), R), R);
    }

    /// @notice Whether 8·(x, y) is (0, 1); the point must be on the curve.
    function isLowOrder(uint256 x, uint256 y) internal pure returns (bool) {
        uint256 z = 1;
        for (uint256 i = 0; i < 3; i++) (x, y, z) = _double(x, y, z);
        return x == 0 && y == z;
    }

    /// @dev Projective doubling on a twisted Edwards curve: x = X/Z, y = Y/Z.
    function _double(uint256 x, uint256 y, uint256 z) private pure returns (uint256, uint256, uint256) {
        uint256 xx = mulmod(x, x, R);
        uint256 yy = mulmod(y, y, R);
        uint256 axx = mulmod(A, xx, R);
        uint256 f = addmod(axx, yy, R);
        uint256 j = addmod(f, R - mulmod(2, mulmod(z, z, R), R), R);
        uint256 xy2 = mulmod(2, mulmod(x, y, R), R);
        return (mulmod(xy2, j, R), mulmod(f, addmod(axx, R - yy, R), R), mulmod(f, j, R));
    }
}
