// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IArbitrable} from "../../../contracts/interfaces/trust/IArbitrable.sol";
import {IArbitrator} from "../../../contracts/interfaces/trust/IArbitrator.sol";

/// @notice The smallest honest ERC-792 arbitrator: one fee, no appeal, rulings by whoever calls.
contract Judge is IArbitrator, IERC165 {
    uint256 public constant FEE = 0.01 ether;

    struct Case {
        IArbitrable arbitrable;
        uint256 choices;
        uint256 ruling;
        bool isRuled;
    }

    Case[] public cases;
    bytes public lastExtraData;

    function give(uint256 disputeID, uint256 ruling) external {
        Case storage dispute = cases[disputeID];
        (dispute.ruling, dispute.isRuled) = (ruling, true);
        dispute.arbitrable.rule(disputeID, ruling);
    }

    function createDispute(
        uint256 choices,
        bytes calldata extraData
    ) external payable returns (uint256 disputeID) {
        require(msg.value == FEE, "fee");
        lastExtraData = extraData;
        disputeID = cases.length;
        cases.push(Case(IArbitrable(msg.sender), choices, 0, false));
        emit DisputeCreation(disputeID, IArbitrable(msg.sender));
    }

    function appeal(uint256, bytes calldata) external payable {
        revert("no appeal");
    }

    function arbitrationCost(bytes calldata) external pure virtual returns (uint256) {
        return FEE;
    }

    function appealCost(uint256, bytes calldata) external pure returns (uint256) {
        return type(uint256).max;
    }

    function appealPeriod(uint256) external pure returns (uint256, uint256) {
        return (0, 0);
    }

    function disputeStatus(uint256 disputeID) external view returns (DisputeStatus) {
        return cases[disputeID].isRuled ? DisputeStatus.Solved : DisputeStatus.Waiting;
    }

    function currentRuling(uint256 disputeID) external view returns (uint256) {
        return cases[disputeID].ruling;
    }

    function supportsInterface(bytes4 interfaceId) public view virtual returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IArbitrator).interfaceId;
    }
}
