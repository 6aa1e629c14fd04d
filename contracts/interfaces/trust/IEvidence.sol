// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IArbitrator} from "./IArbitrator.sol";

/// @title Evidence
/// @notice Evidence of a dispute and what a ruling means, as ERC-1497 has it.
/// @dev Source: ERC-1497 (2018). The files lie off-chain, named by URI or CID.
interface IEvidence {
    /// @notice What the rulings of this kind of dispute mean.
    event MetaEvidence(uint256 indexed metaEvidenceID, string evidence);

    /// @notice A party handed in evidence.
    event Evidence(
        IArbitrator indexed arbitrator,
        uint256 indexed evidenceGroupID,
        address indexed party,
        string evidence
    );

    /// @notice A dispute was opened; links it to its meta-evidence and its evidence.
    event Dispute(
        IArbitrator indexed arbitrator,
        uint256 indexed disputeID,
        uint256 metaEvidenceID,
        uint256 evidenceGroupID
    );
}
