// A reward token that does not behave: it keeps a tenth of each transfer, and calls the settlement again from within one.

import { compileSolidity, type CompiledContract } from './solidity.ts'

const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

contract HostileToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    uint256 public feePercent;
    address public target;
    bytes public again;
    /// What the settlement answered to the second call: its error's selector.
    bytes4 public answer;

    function mint(address to, uint256 amount) external { balanceOf[to] += amount; }
    function setFee(uint256 percent) external { feePercent = percent; }
    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) { return move(msg.sender, to, amount); }
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return move(from, to, amount);
    }

    /// Calls the settlement, and from within the transfer that follows once more.
    function attack(address settlement, bytes calldata first, bytes calldata second) external {
        allowance[address(this)][settlement] = type(uint256).max;
        (target, again, answer) = (settlement, second, 0);
        (bool done,) = settlement.call(first);
        require(done, "the first call failed");
    }

    function move(address from, address to, uint256 amount) private returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount - amount * feePercent / 100;
        if (target != address(0)) {
            address once = target;
            target = address(0);
            (bool done, bytes memory error) = once.call(again);
            answer = done ? bytes4(0xffffffff) : bytes4(error);
        }
        return true;
    }
}`

export function compileHostileToken(): CompiledContract {
  return compileSolidity(SOURCE).HostileToken!
}
