// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The published ABI of Multicall3, for chains where the canonical deployment is missing
/// @notice Bundles calls; read-only clients use it by `eth_call`. Stands at
///         0xcA11bde05977b3631167028862bE2a173976CA11 on a local chain.
/// @dev The ABI is public (mds1/multicall3); the code is this repository's own.
contract Multicall3 {
    struct Call {
        address target;
        bytes callData;
    }

    struct Call3 {
        address target;
        bool allowFailure;
        bytes callData;
    }

    struct Call3Value {
        address target;
        bool allowFailure;
        uint256 value;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    error Multicall3_CallFailed(uint256 call, bytes returnData);
    error Multicall3_ValueMismatch(uint256 got, uint256 wanted);

    function aggregate(
        Call[] calldata calls
    ) external payable returns (uint256 blockNumber, bytes[] memory returnData) {
        blockNumber = block.number;
        Result[] memory results = _tryAll(true, calls);
        returnData = new bytes[](results.length);
        for (uint256 i = 0; i < results.length; ++i) returnData[i] = results[i].returnData;
    }

    function tryAggregate(
        bool requireSuccess,
        Call[] calldata calls
    ) external payable returns (Result[] memory returnData) {
        return _tryAll(requireSuccess, calls);
    }

    function tryBlockAndAggregate(
        bool requireSuccess,
        Call[] calldata calls
    ) external payable returns (uint256 blockNumber, bytes32 blockHash, Result[] memory returnData) {
        return (block.number, blockhash(block.number), _tryAll(requireSuccess, calls));
    }

    function blockAndAggregate(
        Call[] calldata calls
    ) external payable returns (uint256 blockNumber, bytes32 blockHash, Result[] memory returnData) {
        return (block.number, blockhash(block.number), _tryAll(true, calls));
    }

    function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory returnData) {
        returnData = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            Call3 calldata call = calls[i];
            returnData[i] = _call(i, !call.allowFailure, call.target, 0, call.callData);
        }
    }

    function aggregate3Value(
        Call3Value[] calldata calls
    ) external payable returns (Result[] memory returnData) {
        returnData = new Result[](calls.length);
        uint256 spent;
        for (uint256 i = 0; i < calls.length; ++i) {
            Call3Value calldata call = calls[i];
            spent += call.value;
            returnData[i] = _call(i, !call.allowFailure, call.target, call.value, call.callData);
        }
        if (msg.value != spent) revert Multicall3_ValueMismatch(msg.value, spent);
    }

    function getBlockHash(uint256 blockNumber) external view returns (bytes32) {
        return blockhash(blockNumber);
    }

    function getBlockNumber() external view returns (uint256) {
        return block.number;
    }

    function getCurrentBlockCoinbase() external view returns (address) {
        return block.coinbase;
    }

    function getCurrentBlockDifficulty() external view returns (uint256) {
        return block.prevrandao;
    }

    function getCurrentBlockGasLimit() external view returns (uint256) {
        return block.gaslimit;
    }

    function getCurrentBlockTimestamp() external view returns (uint256) {
        return block.timestamp;
    }

    function getEthBalance(address account) external view returns (uint256) {
        return account.balance;
    }

    function getLastBlockHash() external view returns (bytes32) {
        return blockhash(block.number - 1);
    }

    function getBasefee() external view returns (uint256) {
        return block.basefee;
    }

    function getChainId() external view returns (uint256) {
        return block.chainid;
    }

    function _tryAll(bool requireSuccess, Call[] calldata calls) private returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            results[i] = _call(i, requireSuccess, calls[i].target, 0, calls[i].callData);
        }
    }

    function _call(
        uint256 index,
        bool requireSuccess,
        address target,
        uint256 value,
        bytes calldata data
    ) private returns (Result memory result) {
        (result.success, result.returnData) = target.call{value: value}(data);
        if (requireSuccess && !result.success) revert Multicall3_CallFailed(index, result.returnData);
    }
}
