// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {ContractWallet} from "../support/ContractWallet.sol";
import {StakingFixture} from "../support/StakingFixture.sol";
import {Vm} from "../support/Test.sol";

/// @notice The votes of staked AVT (ERC-5805 on a timestamp clock, ERC-6372).
contract StakedVotesTest is StakingFixture {
    address private signer;
    uint256 private key;

    function setUp() public override {
        super.setUp();
        signer = _funded("signer");
        (, key) = makeAddrAndKey("signer");
        vm.prank(signer);
        staking.stake(validator, 100 * AVT);
    }

    function _delegate(address staker, address delegatee) private {
        vm.prank(staker);
        staking.delegateVotes(validator, delegatee);
    }

    function test_delegateVotes_givesThem() public {
        _stake(alice, 100 * AVT);
        assertEq(staking.getVotes(alice), 0, "not delegated yet");
        vm.expectEmit(true, true, true, true);
        emit IStaking.VotesDelegated(validator, alice, bob, 100 * AVT);
        vm.expectEmit(true, true, true, true);
        emit IStaking.DelegateVotesChanged(bob, 0, 100 * AVT);
        _delegate(alice, bob);
        assertEq(staking.getVotes(bob), 100 * AVT, "bob votes");
        (address delegatee, uint256 votes) = staking.votesOf(validator, alice);
        assertEq(delegatee, bob, "delegatee");
        assertEq(votes, 100 * AVT, "votes");
    }

    function test_delegateVotes_again_movesNone() public {
        _stake(alice, 100 * AVT);
        _delegate(alice, bob);
        vm.recordLogs();
        _delegate(alice, bob);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "one event");
        assertEq(logs[0].topics[0], IStaking.VotesDelegated.selector, "which says what is delegated");
        assertEq(staking.getVotes(bob), 100 * AVT, "as before");
    }

    function test_delegateVotes_ofSeveralStakers_addUp() public {
        _stake(alice, 100 * AVT);
        _stake(bob, 7 * AVT);
        _delegate(alice, stranger);
        _delegate(bob, stranger);
        assertEq(staking.getVotes(stranger), 107 * AVT, "both");
        _delegate(alice, alice);
        assertEq(staking.getVotes(stranger), 7 * AVT, "bob's");
        assertEq(staking.getVotes(alice), 100 * AVT, "alice's own");
    }

    function test_delegateVotes_toNobody_takesThemBack() public {
        _stake(alice, 100 * AVT);
        _delegate(alice, bob);
        vm.expectEmit(true, true, true, true);
        emit IStaking.VotesDelegated(validator, alice, address(0), 0);
        _delegate(alice, address(0));
        assertEq(staking.getVotes(bob), 0, "none");
        assertEq(staking.getVotes(address(0)), 0, "nobody has them");
        (address delegatee, uint256 votes) = staking.votesOf(validator, alice);
        assertEq(delegatee, address(0), "delegatee");
        assertEq(votes, 0, "votes");
        _stake(alice, 1);
        assertEq(staking.getVotes(bob), 0, "still none");
        _delegate(alice, bob);
        assertEq(staking.getVotes(bob), 100 * AVT + 1, "all of it again");
    }

    function test_delegateVotes_withUnknownValidator_isRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_UnknownValidator.selector, bob));
        staking.delegateVotes(bob, alice);
    }

    // Votes are the stake

    function test_votes_followStakeAndUnstake() public {
        _delegate(alice, bob);
        assertEq(staking.getVotes(bob), 0, "no stake");
        _stake(alice, 100 * AVT);
        assertEq(staking.getVotes(bob), 100 * AVT, "staked");
        _stake(alice, 50 * AVT);
        vm.expectEmit(true, true, true, true);
        emit IStaking.VotesDelegated(validator, alice, bob, 30 * AVT);
        vm.expectEmit(true, true, true, true);
        emit IStaking.DelegateVotesChanged(bob, 150 * AVT, 30 * AVT);
        _unstake(alice, 120 * AVT);
        assertEq(staking.getVotes(bob), 30 * AVT, "unbonding stake does not vote");
    }

    function test_votes_followASlash_atOnce() public {
        _stake(validator, 100 * AVT);
        _stake(alice, 100 * AVT);
        _delegate(validator, bob);
        _delegate(alice, alice);
        vm.expectEmit(true, true, true, true);
        emit IStaking.DelegateVotesChanged(bob, 100 * AVT, 60 * AVT);
        _slash(40 * AVT);
        assertEq(staking.getVotes(bob), 60 * AVT, "what is left of the validator's");
        assertEq(staking.getVotes(alice), 100 * AVT, "all of alice's");
    }

    function test_votes_ofAValidatorSlashedWhileItLeaves_stay() public {
        _stake(validator, 100 * AVT);
        _delegate(validator, bob);
        _unstake(validator, type(uint256).max);
        vm.recordLogs();
        _slash(40 * AVT);
        assertEq(vm.getRecordedLogs()[0].topics[0], IStaking.Slashed.selector, "no votes move");
        assertEq(staking.getVotes(bob), 0, "none since it left");
    }

    function test_votes_followStakeToAnotherValidator() public {
        vm.prank(bob);
        staking.registerValidator(0);
        _stake(alice, 100 * AVT);
        _delegate(alice, alice);
        vm.startPrank(alice);
        staking.restake(validator, bob, 40 * AVT);
        assertEq(staking.getVotes(alice), 60 * AVT, "nobody was named there");
        staking.delegateVotes(bob, stranger);
        assertEq(staking.getVotes(stranger), 40 * AVT, "named");
        staking.restake(validator, bob, 60 * AVT);
        vm.stopPrank();
        assertEq(staking.getVotes(alice), 0, "none here any more");
        assertEq(staking.getVotes(stranger), 100 * AVT, "all there");
    }

    function test_getPastVotes_isTheVoteOfThatTime() public {
        _stake(alice, 100 * AVT);
        _delegate(alice, alice);
        skip(10);
        _stake(alice, 50 * AVT);
        skip(10);
        assertEq(staking.getPastVotes(alice, START - 1), 0, "before");
        assertEq(staking.getPastVotes(alice, START), 100 * AVT, "at first");
        assertEq(staking.getPastVotes(alice, START + 9), 100 * AVT, "until the next");
        assertEq(staking.getPastVotes(alice, START + 10), 150 * AVT, "then");
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_FutureLookup.selector, START + 20, START + 20)
        );
        staking.getPastVotes(alice, START + 20);
    }

    function test_clock_isTime() public view {
        assertEq(staking.clock(), START, "clock");
        assertEq(bytes(staking.CLOCK_MODE()), bytes("mode=timestamp"), "mode");
        assertEq(avt.clock(), START, "AVT's clock");
        assertEq(bytes(avt.CLOCK_MODE()), bytes("mode=timestamp"), "AVT's mode");
    }

    // By signature

    function test_delegateBySig_givesTheSignersVotes() public {
        IStaking.Delegation memory wanted = _delegation(signer);
        bytes memory signature = _sign(wanted);
        vm.expectEmit(true, true, true, true);
        emit IStaking.VotesDelegated(validator, signer, bob, 100 * AVT);
        vm.prank(stranger);
        staking.delegateBySig(wanted, signature);
        assertEq(staking.getVotes(bob), 100 * AVT, "bob votes");
        assertEq(staking.nonces(signer), 1, "nonce");
    }

    function test_delegateBySig_twice_isRefused() public {
        IStaking.Delegation memory wanted = _delegation(signer);
        bytes memory signature = _sign(wanted);
        staking.delegateBySig(wanted, signature);
        vm.expectRevert(abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, signer, 1));
        staking.delegateBySig(wanted, signature);
    }

    function test_delegateBySig_countsUntilItsExpiry() public {
        IStaking.Delegation memory wanted = _delegation(signer);
        bytes memory signature = _sign(wanted);
        vm.warp(wanted.expiry + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IStaking.Staking_DelegationExpired.selector,
                wanted.expiry + 1,
                wanted.expiry
            )
        );
        staking.delegateBySig(wanted, signature);
        vm.warp(wanted.expiry);
        staking.delegateBySig(wanted, signature);
        assertEq(staking.getVotes(bob), 100 * AVT, "in its last second");
    }

    function test_delegateBySig_changedAfterSigning_isRefused() public {
        IStaking.Delegation memory wanted = _delegation(signer);
        bytes memory signature = _sign(wanted);
        wanted.delegatee = alice;
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_BadSignature.selector, signer));
        staking.delegateBySig(wanted, signature);
    }

    function test_delegateBySig_onAnotherChain_isRefused() public {
        IStaking.Delegation memory wanted = _delegation(signer);
        bytes memory signature = _sign(wanted);
        vm.chainId(5);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_BadSignature.selector, signer));
        staking.delegateBySig(wanted, signature);
    }

    function test_delegateBySig_ofNobody_isRefused() public {
        IStaking.Delegation memory wanted = _delegation(address(0));
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_BadSignature.selector, address(0)));
        staking.delegateBySig(wanted, new bytes(65));
    }

    function test_delegateBySig_ofAContract_isItsERC1271Answer() public {
        ContractWallet wallet = new ContractWallet(signer);
        avt.mint(address(wallet), 5 * AVT);
        vm.startPrank(address(wallet));
        avt.approve(address(staking), 5 * AVT);
        staking.stake(validator, 5 * AVT);
        vm.stopPrank();
        IStaking.Delegation memory wanted = _delegation(address(wallet));
        bytes memory signature = _sign(wanted);
        staking.delegateBySig(wanted, signature);
        assertEq(staking.getVotes(bob), 5 * AVT, "bob votes");
        wallet.switchOff();
        wanted.nonce = 1;
        signature = _sign(wanted);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_BadSignature.selector, address(wallet)));
        staking.delegateBySig(wanted, signature);
    }

    function test_delegateBySig_ofAKeyWithCode_countsByTheKey() public {
        ContractWallet wallet = new ContractWallet(bob);
        // As EIP-7702 sets it: a delegation to code that knows nothing of this key.
        vm.etch(signer, address(wallet).code);
        IStaking.Delegation memory wanted = _delegation(signer);
        staking.delegateBySig(wanted, _sign(wanted));
        assertEq(staking.getVotes(bob), 100 * AVT, "bob votes");
    }

    function _delegation(address staker) private view returns (IStaking.Delegation memory) {
        return IStaking.Delegation(staker, validator, bob, 0, START + 100);
    }

    function _sign(IStaking.Delegation memory wanted) private view returns (bytes memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("Staking"),
                keccak256("1"),
                block.chainid,
                address(staking)
            )
        );
        bytes32 typehash = keccak256(
            "Delegation(address staker,address validator,address delegatee,uint256 nonce,uint256 expiry)"
        );
        bytes32 message = keccak256(
            abi.encode(
                typehash,
                wanted.staker,
                wanted.validator,
                wanted.delegatee,
                wanted.nonce,
                wanted.expiry
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            key,
            keccak256(abi.encodePacked(hex"1901", domain, message))
        );
        return abi.encodePacked(r, s, v);
    }
}
