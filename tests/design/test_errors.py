# ruff: noqa: E501  (a message is one line)
"""What a fault says: file, line, block, numbers and remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fieldstone.design.codes import CODES
from fieldstone.design.design import Design
from fieldstone.errors import DesignError

HEAD = ["globalavgpool", "linear classes"]
WRITE_RESIDUAL = "write it as `residual: [BLOCK, …] or residual: {body: […], shortcut: […]}`"
WRITE_BRANCHES = "write it as `branches concat|add|multiply: [[BLOCK, …], […], []]`"
EQUAL = "make them equal: padding keeps sides, `conv C 1` sets the channels"


def fault(text: str) -> DesignError:
    with pytest.raises(DesignError, match=r".") as caught:
        Design.parse(text, "net.yaml").walk(10)
    return caught.value


def test_the_fault_of_the_three_conv_design_at_12_pixels() -> None:
    with pytest.raises(DesignError, match="smaller") as caught:
        Design.named("three-conv").resolve(input=(3, 12, 12)).walk(10)
    assert str(caught.value) == (
        "three-conv.yaml:9: conv 40 5 stride=2: its input is 20x3x3, smaller than the 5x5 kernel; "
        "pad it (padding=1) or give the design an input of at least 15x15"
    )
    assert caught.value.path == "5"


def test_both_remedies_of_a_small_input_work_and_nothing_smaller_does() -> None:
    design = Design.named("three-conv")
    design.resolve(input=(3, 15, 15)).walk(10)
    padded = [block.text() for block in design.layers]
    padded[4] += " padding=1"
    Design((3, 12, 12), padded).walk(10)
    with pytest.raises(DesignError, match="smaller"):
        design.resolve(input=(3, 14, 14)).walk(10)


@pytest.mark.parametrize(
    ("layers", "line", "path", "message"),
    [
        # windows
        (["maxpool 40"], 3, "1", "maxpool 40: its input is 3x32x32, smaller than the 40x40 kernel; pad it (padding=4) or give the design an input of at least 40x40"),
        (["conv 4 9 dilation=6"], 3, "1", "conv 4 9 dilation=6: its input is 3x32x32, smaller than the 9x9 kernel, which spans 49x49; pad it (padding=9) or give the design an input of at least 49x49"),
        (["conv 4 40x3 padding=1"], 3, "1", "conv 4 40x3 padding=1: its input is 3x32x32 with padding 1x1, smaller than the 40x3 kernel; pad it (padding=4x1) or give the design an input of at least 38x38"),
        (["maxpool 99", "maxpool 99"], 3, "1", "maxpool 99: its input is 3x32x32, smaller than the 99x99 kernel; pad it (padding=34)"),
        (["conv 4 3x3x3"], 3, "1", "conv 4 3x3x3: its kernel 3x3x3 is for 3 axes, its input has 2 sides; give kernel one number, or one per side"),
        (["maxpool 3 padding=2"], 3, "1", "maxpool 3 padding=2: padding 2 is more than half of its kernel 3, which torch refuses; use padding=1 or less, or a `pad` in front of it"),
        (["conv 8 3", "conv 12 3 groups=5"], 4, "2", "conv 12 3 groups=5: groups=5 does not divide its 8 input channels; use groups=4"),
        (["conv 10 3 groups=3"], 3, "1", "conv 10 3 groups=3: groups=3 does not divide its 10 filters; use groups=1"),
        (["conv 4 3 padding=32 padding_mode=reflect"], 3, "1", "conv 4 3 padding=32 padding_mode=reflect: padding_mode=reflect cannot pad 32x32 around an input of 32x32; use padding_mode=zeros or replicate, or less padding"),
        (["conv 4 3 padding=causal"], 3, "1", "conv 4 3 padding=causal: padding=causal is for one side, in time; its input has 2; use padding=same, or a `pad` with before= and after= in front of it"),
        (["maxpool 3 padding=causal"], 3, "1", "maxpool 3 padding=causal: padding 'causal' is not a whole number (or one per side, as in 1x2), `same` or `valid`; leave it out, or write such a value"),
        (["conv 4 3 padding=half"], 3, "1", "conv 4 3 padding=half: padding 'half' is not a whole number (or one per side, as in 1x2), `same`, `valid` or `causal`; leave it out, or write such a value"),
        (["maxpool 2", "crop 1", "maxpool 2 padding=1 stride=1 dilation=15"], 5, "3", "maxpool 2 stride=1 padding=1 dilation=15: a window of the 2x2 kernel, which spans 16x16, reads padding alone of its 3x14x14 input, and has no largest value; use less dilation or padding or give the design an input of at least 34x34"),
        (["depthwise 40"], 3, "1", "depthwise 40: its input is 3x32x32, smaller than the 40x40 kernel; pad it (padding=4) or give the design an input of at least 40x40"),
        (["flatten", "separable 4 3"], 4, "2", "separable 4 3: its input is flat (3072 numbers) and has no sides; put it before the map is flattened"),
        (["depthwise 0"], 3, "1", "depthwise 0: kernel_size '0' is not a whole number above 0 (or one per side, as in 3x5); write it as `depthwise KERNEL`"),
        (["depthwise 3 multiplier=0"], 3, "1", "depthwise 3 multiplier=0: multiplier '0' is not a whole number above 0; leave it out, or write such a value"),
        # transposed
        (["upconv 4 3 stride=2 output_padding=2"], 3, "1", "upconv 4 3 stride=2 output_padding=2: output_padding=2 is not smaller than its stride 2 or its dilation 1; use output_padding=1"),
        (["upconv 4 3 stride=2x1 output_padding=1"], 3, "1", "upconv 4 3 stride=2x1 output_padding=1: output_padding=1 is not smaller than its stride 2x1 or its dilation 1; use output_padding=1x0"),
        (["upconv 4 3 stride=2 padding=same output_padding=1"], 3, "1", "upconv 4 3 stride=2 padding=same output_padding=1: padding=same sets the sides by itself, output_padding=1 would change them; leave output_padding out, or give the padding as a number"),
        (["upconv 4 3 padding=17"], 3, "1", "upconv 4 3 padding=17: it makes 34x34 of its 3x32x32 input, and padding 17x17 cuts all of it away; use padding=16 or give the design an input of at least 33x33"),
        (["upconv 4 3 groups=3"], 3, "1", "upconv 4 3 groups=3: groups=3 does not divide its 4 filters; use groups=1"),
        (["conv 4 1", "upconv 6 3 groups=3"], 4, "2", "upconv 6 3 groups=3: groups=3 does not divide its 4 input channels; use groups=2"),
        # resizing
        (["adaptiveavgpool 3x3x3"], 3, "1", "adaptiveavgpool 3x3x3: its size 3x3x3 is for 3 axes, its input has 2 sides; give size one number, or one per side"),
        (["upsample 0"], 3, "1", "upsample 0: factor '0' is not a whole number above 0 (or one per side, as in 3x5); write it as `upsample FACTOR or upsample like=NAME`"),
        (["upsample"], 3, "1", "upsample: it has neither a factor nor a map that it is like; write it as `upsample FACTOR or upsample like=NAME`"),
        (["upsample 2 like=input"], 3, "1", "upsample 2 like=input: it has both a factor and a map that it is like; write it as `upsample FACTOR or upsample like=NAME`"),
        (["upsample like=skip"], 3, "1", "upsample like=skip: no map skip was saved before it; put `save skip` before it, or use input"),
        (["upsample 2 mode=trilinear"], 3, "1", "upsample 2 mode=trilinear: mode=trilinear is for 3 sides, its input has 2; use mode=linear"),
        (["upsample 2 align_corners=true"], 3, "1", "upsample 2 align_corners=true: align_corners=true has no meaning for mode=nearest; leave it out, or use mode=linear"),
        (["pixelshuffle 2"], 3, "1", "pixelshuffle 2: its 3 input channels are no multiple of 2·2 = 4; give it 4: `conv 4 1` before it"),
        (["crop 16"], 3, "1", "crop 16: it cuts 32x32 from its 3x32x32 input and leaves nothing; cut at most 15 from both ends or give the design an input of at least 33x33"),
        (["crop 0x3 after=0x29"], 3, "1", "crop 0x3 after=0x29: it cuts 0x32 from its 3x32x32 input and leaves nothing; cut at most 15 from both ends or give the design an input of at least 33x33"),
        (["pad 32 mode=reflect"], 3, "1", "pad 32 mode=reflect: mode=reflect cannot pad 32x32 around an input of 32x32; use mode=constant or replicate, or less padding"),
        (["pad 1 mode=replicate value=2"], 3, "1", "pad 1 mode=replicate value=2: value=2 has no meaning for mode=replicate; leave it out, or use mode=constant"),
        # unpooling
        (["maxunpool p"], 3, "1", "maxunpool p: no maxpool was named p before it; write one as `maxpool 2 name=p`"),
        (["maxpool 2 name=p", "save q", "maxunpool q"], 5, "3", "maxunpool q: q is the name of a map, not a maxpool; give the other another name, or use p"),
        (["maxpool 2 name=p", "concat p"], 4, "2", "concat p: p is the name of a maxpool, not a map; give the other another name, or use input"),
        (["maxpool 2 name=p", "upsample like=p"], 4, "2", "upsample like=p: p is the name of a maxpool, not a map; give the other another name, or use input"),
        (["maxpool 2 name=p", "maxpool 2", "maxunpool p"], 5, "3", "maxunpool p: its input is 3x8x8, the maxpool p gave 3x16x16; make them equal: `conv C 1` sets the channels, padding keeps sides"),
        (["maxpool 2 name=p", "maxpool 2 name=p"], 4, "2", "maxpool 2 name=p: the name p is already saved; choose another name"),
        (["maxpool 2 name=input"], 3, "1", "maxpool 2 name=input: the name input is always the design's input; choose another name"),
        (["repeat 2: [maxpool 2 name=p]", "maxunpool p"], 4, "2", "maxunpool p: the name p was given at 1.2.1, and is not seen outside of that list; write one as `maxpool 2 name=p`"),
        (["branches concat: [[maxpool 2 name=p], [maxunpool p]]"], 3, "1.2.1", "maxunpool p: the name p was given at 1.1.1, and is not seen outside of that list; write one as `maxpool 2 name=p`"),
        # flat and not flat
        (["relu", "linear 10"], 4, "2", "linear 10: its input is 3x32x32, not flat; put flatten or globalavgpool before it"),
        (["flatten", "conv 4 3"], 4, "2", "conv 4 3: its input is flat (3072 numbers) and has no sides; put it before the map is flattened"),
        # joins
        (["residual: [conv 8 3 stride=2 padding=1]"], 3, "1", "residual: its body is 8x16x16, its input is 3x32x32; add needs equal shapes; give it `shortcut: [conv 8 1 stride=2]`"),
        (["residual: [conv 3 3]"], 3, "1", "residual: its body is 3x30x30, its input is 3x32x32; add needs equal shapes; write `conv 3 3 padding=same`"),
        (["residual: [conv 4 3]"], 3, "1", "residual: its body is 4x30x30, its input is 3x32x32; add needs equal shapes; write `conv 4 3 padding=same`, and give it `shortcut: [conv 4 1]`"),
        (["residual: {body: [conv 8 3], shortcut: [conv 8 1]}"], 3, "1", "residual: its body is 8x30x30, its shortcut is 8x32x32; add needs equal shapes; write `conv 8 3 padding=same`"),
        (["branches concat: [[conv 8 3], []]"], 3, "1", "branches concat: branch 1 is 8x30x30, branch 2 is 3x32x32; concat needs equal sides; write `conv 8 3 padding=same`"),
        (["branches add: [[conv 4 3], [conv 5 3], []]"], 3, "1", "branches add: branch 1 is 4x30x30, branch 2 is 5x30x30, branch 3 is 3x32x32; add needs equal shapes; write `conv 4 3 padding=same` and `conv 5 3 padding=same`, and end branch 2 with `conv 4 1` and branch 3 with `conv 4 1`"),
        (["branches concat: [[conv 8 1], [upconv 8 3 output_padding=0]]"], 3, "1", "branches concat: branch 1 is 8x32x32, branch 2 is 8x34x34; concat needs equal sides; make the sides equal: padding keeps them, a stride makes them fewer"),
        (["branches add: [[conv 8 1], [upconv 4 3]]"], 3, "1", f"branches add: branch 1 is 8x32x32, branch 2 is 4x34x34; add needs equal shapes; {EQUAL}"),
        (["branches concat: [[flatten], []]"], 3, "1", "branches concat: branch 1 is 3072, branch 2 is 3x32x32; concat needs equal sides; flatten all of them or none"),
        (["flatten", "branches add: [[linear 8], [linear 4]]"], 4, "2", "branches add: branch 1 is 8, branch 2 is 4; add needs equal shapes; make them equal: `linear N` sets how many numbers there are"),
        (["save a", "conv 4 1", "add a"], 5, "3", "add a: the saved map a is 3x32x32, its input is 4x32x32; add needs equal shapes; put `conv 3 1` before it"),
        (["flatten", "save a", "linear 8", "add a"], 6, "4", "add a: the saved map a is 3072, its input is 8; add needs equal shapes; put `linear 3072` before it"),
        (["save a", "flatten", "concat a"], 5, "3", "concat a: the saved map a is 3x32x32, its input is 3072; concat needs equal sides; flatten all of them or none"),
        (["save a", "conv 3 3", "add a"], 5, "3", "add a: the saved map a is 3x32x32, its input is 3x30x30; add needs equal shapes; cut it with crop=true, or pad the blocks between"),
        (["maxpool 2", "save a", "conv 3 1 padding=4", "concat a crop=true"], 6, "4", "concat a crop=true: crop=true cannot cut the saved map a (3x16x16) to an input of 3x24x24, which is larger; save a larger map"),
        # names
        (["concat skip"], 3, "1", "concat skip: no map skip was saved before it; put `save skip` before it, or use input"),
        (["residual: [save a, relu]", "concat a"], 4, "2", "concat a: the name a was given at 1.body.1, and is not seen outside of that list; put `save a` before it, or use input"),
        (["repeat 2: [save a]", "add a"], 4, "2", "add a: the name a was given at 1.2.1, and is not seen outside of that list; put `save a` before it, or use input"),
        (["repeat 2: [concat a, save a, conv 3 1]"], 3, "1.1.1", "concat a: no map a was saved before it; put `save a` before it, or use input"),
        (["branches add: [[save a], [multiply a]]"], 3, "1.2.1", "multiply a: the name a was given at 1.1.1, and is not seen outside of that list; put `save a` before it, or use input"),
        (["save a", "save a"], 4, "2", "save a: the name a is already saved; choose another name"),
        (["save input"], 3, "1", "save input: the name input is always the design's input; choose another name"),
        (["save 3a"], 3, "1", "save 3a: name '3a' is not a name (a letter, then letters, digits, _ or -); write it as `save NAME`"),
        # words and numbers
        (["conv2d 3 3"], 3, "1", "conv2d 3 3: there is no block 'conv2d'; did you mean `conv`?"),
        (["maxpol 3"], 3, "1", "maxpol 3: there is no block 'maxpol'; did you mean `maxpool`?"),
        (["Conv 3 3"], 3, "1", "Conv 3 3: there is no block 'Conv'; did you mean `conv`?"),
        (["conv 10"], 3, "1", "conv 10: it has no kernel_size; write it as `conv FILTERS KERNEL`"),
        (["conv 10 3 3"], 3, "1", "conv 10 3 3: '3' stands after its main numbers; write it as `conv FILTERS KERNEL`, then `key=value`"),
        (["conv 10 0"], 3, "1", "conv 10 0: kernel_size '0' is not a whole number above 0 (or one per side, as in 3x5); write it as `conv FILTERS KERNEL`"),
        (["conv -1 3"], 3, "1", "conv -1 3: out_channels '-1' is not a whole number above 0, or `classes`; write it as `conv FILTERS KERNEL`"),
        (["conv 99999999999999999999 3"], 3, "1", "conv 99999999999999999999 3: out_channels '99999999999999999999' is above 999,999,999, the largest number; write it as `conv FILTERS KERNEL`"),
        (["conv 1 3x1000000000"], 3, "1", "conv 1 3x1000000000: kernel_size '3x1000000000' is above 999,999,999, the largest number; write it as `conv FILTERS KERNEL`"),
        (["dropout 10000000000"], 3, "1", "dropout 10000000000: p '10000000000' is not a number from 0 to 1; write it as `dropout P`"),
        (["conv 10 3 stide=2"], 3, "1", "conv 10 3 stide=2: conv has no 'stide'; did you mean `stride`?"),
        (["conv 10 3 stride=0"], 3, "1", "conv 10 3 stride=0: stride '0' is not a whole number above 0 (or one per side, as in 3x5); leave it out, or write such a value"),
        (["conv 10 3 stride=2 stride=3"], 3, "1", "conv 10 3 stride=2 stride=3: stride is given twice; leave one of them out"),
        (["conv 10 3 bias=yes"], 3, "1", "conv 10 3 bias=yes: bias 'yes' is not true or false; leave it out, or write such a value"),
        (["dropout 2"], 3, "1", "dropout 2: p '2' is not a number from 0 to 1; write it as `dropout P`"),
        (["relu x=3"], 3, "1", "relu x=3: relu has no 'x'; it has no keys"),
        # structures
        (["residual"], 3, "1", f"residual: it holds no blocks; {WRITE_RESIDUAL}"),
        (["residual: []"], 3, "1.body", f"residual: it holds no list of blocks; {WRITE_RESIDUAL}"),
        (["residual: {boddy: [conv 8 3]}"], 3, "1", "residual has no 'boddy'; did you mean `body`?"),
        (["branches sum: [[relu], []]"], 3, "1", f"branches sum: join 'sum' is not concat or add or multiply; {WRITE_BRANCHES}"),
        (["branches concat: [conv 8 3]"], 3, "1.1", f"branch 1: it holds no list of blocks; {WRITE_BRANCHES}"),
        (["repeat 0: [relu]"], 3, "1", "repeat 0: times '0' is not a whole number above 0; write it as `repeat N: [BLOCK, …]`"),
        (["repeat 2"], 3, "1", "repeat 2: it holds no blocks; write it as `repeat N: [BLOCK, …]`"),
        (["repeat 100000: [conv 3 3, relu]"], 3, None, "repeat 100000: it unrolls to 200,001 blocks, more than 10,000; repeat less"),
        (["conv 3 3: [relu]"], 3, "1", "conv 3 3: conv holds no blocks; write it as `conv FILTERS KERNEL`"),
        (["{conv: 3, relu: 2}"], 3, "1", "a mapping of 2 keys is not one block; write one block per `-`, as in `- conv 32 3`"),
        (["[]"], 3, "1", "an empty list holds no blocks; leave it out"),
        ([""], 3, "1", "a block is missing; write one, as in `- conv 32 3`, or remove the line"),
        # the head
        (["conv classes 3"], 5, None, "linear classes: `classes` stands in more than one place; give all but the last a number"),
    ],
)  # fmt: skip
def test_faults_of_blocks(layers: list[str], line: int, path: str | None, message: str) -> None:
    found = fault("input: 3x32x32\nlayers:\n" + "".join(f"  - {layer}\n" for layer in [*layers, *HEAD]))
    assert str(found) == f"net.yaml:{line}: {message}"
    assert (found.line, found.path) == (line, path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "net.yaml: the design is empty; it needs `input:` and `layers:`"),
        ("hello", "net.yaml:1: a design is a mapping of keys; it needs `input:` and `layers:`"),
        ("input: 3x3\nlayer: [relu]", "net.yaml:2: a design has no key 'layer'; did you mean `layers`?"),
        ("input: 3x3\n", "net.yaml:1: the design has no `layers`; add `layers: [conv 32 3, …]`"),
        ("input: 3x3\nlayers: relu", "net.yaml:2: layers is a list of blocks; write `- block` lines, as in `- conv 32 3`"),
        ("input: 3x9\nlayers: [relu]", "net.yaml: no block is sized by `classes`; end it with `linear classes`"),
        ("input: 3x9\nlayers: [repeat 2: [conv classes 3]]", "net.yaml:2: conv classes 3: `classes` stands in more than one place; give all but the last a number"),
        ("input: 3x0x4\nlayers: []", "net.yaml:1: input '3x0x4' is not a shape: channels, then one to three sides, above 0 and joined by x; write it as `input: 3x64x64`"),
        ("input: 3x4\nclasses: 0\nlayers: []", "net.yaml:2: classes '0' is not a whole number above 0; write it as `classes: 10`"),
        ("input: 3x4\ninput: 3x4", "net.yaml:2: the key 'input' stands twice; leave one of them out"),
        ("input: &a 3x4\nlayers: [*a]", "net.yaml:1: anchor &a is not used in designs; write the blocks out"),
        ("input: 3x4\nlayers: [*a]", "net.yaml:2: alias *a is not used in designs; write the blocks out"),
        ("input: !!python/object:os.system x", "net.yaml:1: the tag tag:yaml.org,2002:python/object:os.system is not used in designs; leave it out"),
        ("input: 3x4\n\tlayers: [relu]", "net.yaml:2: it is not YAML: found character '\\t' that cannot start any token; indent with spaces"),
        ("input: 3x4\n---\nlayers: [relu]", "net.yaml:2: it is not YAML: expected a single document in the stream, but found another document; write `key: value` lines and `- block` lines"),
        ("a: [1", "net.yaml:1: it is not YAML: expected ',' or ']', but got '<stream end>'; write `key: value` lines and `- block` lines"),
        ("input: 3x4\n\x00", "net.yaml:2: it holds the character 0x0"),
        ("input: 3x4\nlayers: [relu]\nallow: [a]", "net.yaml:3: allow is a mapping from codes to reasons; write `allow: {CODE: why it is meant}`"),
        ("input: 3x4\nallow:\n  FS101: meant\n  FS999: because\nlayers: [linear classes]", "net.yaml:4: no finding has the code 'FS999'; did you mean FS109?"),
        ("input: 3x4\nallow: {wide: because}\nlayers: [linear classes]", f"net.yaml:2: no finding has the code 'wide'; the codes are {', '.join(CODES)}"),
        ("input: 3x4\nallow:\n  fs101: meant\nlayers: [linear classes]", "net.yaml:3: no finding has the code 'fs101'; did you mean FS101?"),
        ("input: 3x4\nallow:\n  FS102: x\n  FS101: ''\nlayers: [linear classes]", "net.yaml:4: allow.FS101 has no reason; say why it is meant, as in `FS101: as published`"),
        ("input: 3x4\nallow: {FS101: }\nlayers: [linear classes]", "net.yaml:2: allow.FS101 has no reason; say why it is meant, as in `FS101: as published`"),
        ("input: 3x4\nabout: [x]\nlayers: [relu]", "net.yaml:2: about is a text; write `about: …` on one line"),
    ],
)  # fmt: skip
def test_faults_of_texts(text: str, message: str) -> None:
    assert str(fault(text)) == message


def test_a_fault_of_a_file_names_the_file_as_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("input: 3x9x9\nlayers: [conv 3]\n", encoding="utf-8")
    with pytest.raises(DesignError, match=re.escape(f"{path}:2: conv 3: it has no kernel_size")):
        Design.read(path)
    with pytest.raises(DesignError, match=r"missing\.yaml: cannot be read: No such file or directory; check the path"):
        Design.read(tmp_path / "missing.yaml")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DesignError, match=r"is no UTF-8 text; save it as UTF-8"):
        Design.read(path)


@pytest.mark.parametrize(
    ("shape", "layers", "message"),
    [
        ((3, 9), [3, "linear classes"], "3 is no block; write it as text, as in 'conv 32 3'"),
        ((3, 9), [], "layers is a list of blocks; write `- block` lines, as in `- conv 32 3`"),
        ((3, -1), HEAD, "input (3, -1) is not a shape: channels, then one to three sides"),
        ((3,), HEAD, "input (3,) is not a shape: channels, then one to three sides"),
        ((3, 10**9), HEAD, "input (3, 1000000000) is above 999,999,999, the largest number"),
    ],
)
def test_faults_of_designs_from_python(shape: tuple[int, ...], layers: list[object], message: str) -> None:
    with pytest.raises(DesignError, match=re.escape(message)):
        Design(shape, layers)


@pytest.mark.parametrize(
    ("code", "reason", "message"),
    [("FS999", "because", "no finding has the code 'FS999'"), ("FS101", " ", "allow.FS101 has no reason; say why")],
)
def test_what_is_allowed_from_python_is_a_code_with_its_reason(code: str, reason: str, message: str) -> None:
    with pytest.raises(DesignError, match=re.escape(message)):
        Design((3, 9), ["flatten", "linear classes"], allow={code: reason})
    assert Design((3, 9), ["flatten", "linear classes"], allow={"FS101": "meant"}).allow == {"FS101": "meant"}
