// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The cheatcodes that the tests use, as Hardhat's and Foundry's test runners implement them.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function warp(uint256 timestamp) external;
    function roll(uint256 blockNumber) external;
    function setBlockhash(uint256 blockNumber, bytes32 blockHash) external;
    function chainId(uint256 id) external;
    function deal(address account, uint256 balance) external;
    function etch(address target, bytes calldata code) external;
    function prank(address sender) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function addr(uint256 privateKey) external pure returns (address);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function expectRevert() external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function expectPartialRevert(bytes4 selector) external;
    function expectEmit() external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function assume(bool condition) external pure;
    function load(address target, bytes32 slot) external view returns (bytes32);
    function store(address target, bytes32 slot, bytes32 value) external;
    function label(address account, string calldata name) external;
    function snapshotState() external returns (uint256);
    function revertToState(uint256 id) external returns (bool);
    function snapshotGasLastCall(string calldata name) external returns (uint256);
}

/// @notice The base of every Solidity test: labelled assertions, bounded fuzz inputs, time jumps and keys.
/// @dev Works under Hardhat's runner and under forge; there is no forge-std on npm that fits.
abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev Read by Foundry to recognise a test contract.
    bool public IS_TEST = true;

    address[] private _targetContracts;
    address[] private _targetSenders;

    error AssertionFailed(string what);
    error NotEqual(string what, uint256 got, uint256 wanted);
    error NotEqualSigned(string what, int256 got, int256 wanted);
    error NotEqualBytes32(string what, bytes32 got, bytes32 wanted);
    error NotEqualAddress(string what, address got, address wanted);
    error TooLarge(string what, uint256 got, uint256 limit);

    /// @notice A named test key and its address.
    function makeAddrAndKey(string memory name) internal returns (address account, uint256 key) {
        key = uint256(keccak256(bytes(name)));
        account = vm.addr(key);
        vm.label(account, name);
    }

    function makeAddr(string memory name) internal returns (address account) {
        (account, ) = makeAddrAndKey(name);
    }

    /// @notice Folds any fuzzed number into [low, high].
    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        if (value >= low && value <= high) return value;
        uint256 size = high - low + 1;
        return size == 0 ? value : low + (value % size);
    }

    function skip(uint256 timeSeconds) internal {
        vm.warp(block.timestamp + timeSeconds);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert AssertionFailed(what);
    }

    function assertFalse(bool condition, string memory what) internal pure {
        if (condition) revert AssertionFailed(what);
    }

    function assertEq(uint256 got, uint256 wanted, string memory what) internal pure {
        if (got != wanted) revert NotEqual(what, got, wanted);
    }

    function assertEq(int256 got, int256 wanted, string memory what) internal pure {
        if (got != wanted) revert NotEqualSigned(what, got, wanted);
    }

    function assertEq(bytes32 got, bytes32 wanted, string memory what) internal pure {
        if (got != wanted) revert NotEqualBytes32(what, got, wanted);
    }

    function assertEq(address got, address wanted, string memory what) internal pure {
        if (got != wanted) revert NotEqualAddress(what, got, wanted);
    }

    function assertEq(bool got, bool wanted, string memory what) internal pure {
        if (got != wanted) revert AssertionFailed(what);
    }

    function assertEq(bytes memory got, bytes memory wanted, string memory what) internal pure {
        if (keccak256(got) != keccak256(wanted)) revert AssertionFailed(what);
    }

    function assertLe(uint256 got, uint256 limit, string memory what) internal pure {
        if (got > limit) revert TooLarge(what, got, limit);
    }

    /// @notice Invariant tests: the contracts whose functions the engine calls.
    function targetContract(address target) internal {
        _targetContracts.push(target);
    }

    /// @notice Invariant tests: the senders the engine uses.
    function targetSender(address sender) internal {
        _targetSenders.push(sender);
    }

    function targetContracts() public view returns (address[] memory) {
        return _targetContracts;
    }

    function targetSenders() public view returns (address[] memory) {
        return _targetSenders;
    }
}
