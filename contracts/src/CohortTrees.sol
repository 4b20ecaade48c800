// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PoseidonT3} from "poseidon/PoseidonT3.sol";

/// @title CohortTrees
/// @notice One binary Poseidon tree of D leaves per cohort, and how long each of its former roots may still be anchored.
/// @dev Nodes lie as in a heap: the root is node 1, leaf i is node D + i. A node never written is the root of an empty subtree.
library CohortTrees {
    struct Tree {
        mapping(uint256 index => uint256) nodes;
        /// Block in which a root stopped being the current one.
        mapping(uint256 root => uint256) replacedAtBlock;
        /// Roots replaced in this block or before are refused at once.
        uint256 closedAtBlock;
    }

    /// @notice Writes a leaf and returns the new root: log2(D) hashes.
    function setLeaf(Tree storage tree, uint256 size, uint256 slot, uint256 leaf) internal returns (uint256 root) {
        uint256 replaced = tree.nodes[1];
        uint256 index = size + slot;
        root = leaf;
        tree.nodes[index] = leaf;
        for (uint256 level = 0; index > 1; level++) {
            uint256 sibling = tree.nodes[index ^ 1];
            if (sibling == 0) sibling = emptyRoot(level);
            root = index & 1 == 0 ? PoseidonT3.hash([root, sibling]) : PoseidonT3.hash([sibling, root]);
            index >>= 1;
            tree.nodes[index] = root;
        }
        if (replaced != 0) tree.replacedAtBlock[replaced] = block.number;
    }

    /// @notice Whether a root is current, or was until at most `windowBlocks` ago and has not been closed since.
    function isRecent(Tree storage tree, uint256 root, uint256 windowBlocks) internal view returns (bool) {
        if (root == 0) return false;
        if (root == tree.nodes[1]) return true;
        uint256 replacedAt = tree.replacedAtBlock[root];
        return replacedAt > tree.closedAtBlock && block.number <= replacedAt + windowBlocks;
    }

    /// @notice Root of a subtree of 2^level empty leaves; level is at most 6.
    function emptyRoot(uint256 level) internal pure returns (uint256) {
        if (level == 0) return 0;
        if (level == 1) return 14744269619966411208579211824598458697587494354926760081771325075741142829156;
        if (level == 2) return 7423237065226347324353380772367382631490014989348495481811164164159255474657;
        if (level == 3) return 11286972368698509976183087595462810875513684078608517520839298933882497716792;
        if (level == 4) return 3607627140608796879659380071776844901612302623152076817094415224584923813162;
        if (level == 5) return 19712377064642672829441595136074946683621277828620209496774504837737984048981;
        return 20775607673010627194014556968476266066927294572720319469184847051418138353016;
    }
}
