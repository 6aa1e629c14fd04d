// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

contract Deed is ERC721("Deed", "DEED") {
    function mint(address to, uint256 id) external {
        _safeMint(to, id);
    }
}

contract Goods is ERC1155("") {
    function mintOne(address to, uint256 id, uint256 amount) external {
        _mint(to, id, amount, "");
    }

    function mint(address to, uint256[] calldata ids, uint256[] calldata amounts) external {
        _mintBatch(to, ids, amounts, "");
    }
}

contract ReceiversTest is TreasuryFixture {
    function test_receive_takesNativeCoinAndSaysSo() public {
        vm.deal(stranger, 1 ether);
        vm.expectEmit();
        emit ITreasury.NativeReceived(stranger, 1 ether);
        vm.prank(stranger);
        (bool ok, ) = address(treasury).call{value: 1 ether}("");
        assertTrue(ok, "taken");
    }

    function test_unknownCall_reverts() public {
        (bool ok, ) = address(treasury).call(hex"12345678");
        assertFalse(ok, "refused");
    }

    function test_erc721_isTakenAndSentOnByQuorum() public {
        Deed deed = new Deed();
        deed.mint(address(treasury), 1);
        _execute(_call(address(deed), 0, abi.encodeCall(deed.transferFrom, (address(treasury), payee, 1))));
        assertEq(deed.ownerOf(1), payee, "owner");
    }

    function test_erc1155_isTakenSinglyAndInBatch() public {
        Goods goods = new Goods();
        goods.mintOne(address(treasury), 1, 1);
        uint256[] memory two = new uint256[](2);
        (two[0], two[1]) = (1, 2);
        goods.mint(address(treasury), two, two);
        assertEq(goods.balanceOf(address(treasury), 1), 2, "first");
        assertEq(goods.balanceOf(address(treasury), 2), 2, "second");
    }

    function test_supportsInterface_namesWhatItIs() public view {
        assertTrue(treasury.supportsInterface(type(IERC165).interfaceId), "165");
        assertTrue(treasury.supportsInterface(type(ITreasury).interfaceId), "treasury");
        assertTrue(treasury.supportsInterface(type(IERC1271).interfaceId), "1271");
        assertTrue(treasury.supportsInterface(type(IERC721Receiver).interfaceId), "721");
        assertTrue(treasury.supportsInterface(type(IERC1155Receiver).interfaceId), "1155");
        assertFalse(treasury.supportsInterface(0xffffffff), "none");
    }
}
