// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "./Test.sol";

/// @notice Shows that an invariant test's handler gets somewhere: a handler that nothing succeeds in finds nothing.
abstract contract Walk is Test {
    /// @dev As many random calls as the engine makes in one run, from a seed; a call that reverts is passed over.
    function _walk(address handler, bytes4[] memory selectors, uint256 seed, uint256 steps) internal {
        for (uint256 i = 0; i < steps; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            bytes4 selector = selectors[random % selectors.length];
            // 80 bits of an argument each, so that they decode as whatever is wanted.
            (bool ok, ) = handler.call(
                abi.encodeWithSelector(
                    selector,
                    uint80(random >> 16),
                    uint80(random >> 96),
                    uint80(random >> 176)
                )
            );
            ok;
        }
    }
}
