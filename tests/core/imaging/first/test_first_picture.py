import hashlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from core.errors import NoDigitError
from core.imaging import digit_from_bytes, to_digit
from tests.core.imaging.drawn import STROKES, Gray, encoded, ink, lit, noise, on_white
from tests.core.imaging.test_scenes import SCENES, TestNoDigit
from tests.marks import NO_WARNING

pytestmark = NO_WARNING

# Taken from the code as it was before there was a second framing. They never change: whoever has to change one changes
# what published versions answer, and wants a new framing instead.
DIGESTS: dict[str, str] = {
    "white on black": "8c26445e9e21247c",
    "pencil, pale": "71fc07ecd4133171",
    "off-center": "cfe2b3666f17d546",
    "tiny": "c8d19c413b7aa0fa",
    "a third of it in a huge picture": "29da42a79525f347",
    "a speck in a huge picture": "5b8b2ba352717a2d",
    "a speck in a grainy photo": "168dd5e8e468d20a",
    "thin line": "9e11d4639e46edef",
    "thin line, large": "a23da0dc3c38dc79",
    "thick brush": "bf809d3894b22f64",
    "uneven light": "3964f857910abcfd",
    "dark photo": "04e77a56f13e9e47",
    "vignette": "24a1636050871849",
    "hard shadow": "62a8baa1959fcc67",
    "soft shadow": "388d5c0010dfe8c5",
    "paper texture": "3eff167de51dd81a",
    "chalk on a board": "bf012723f16828a3",
    "ruled paper": "fdf0af1a6d5569a1",
    "dust": "0a1380595afba116",
    "on a table": "e5c0c366f4a17a2c",
    "on wood": "a886ed3b1a60b6b3",
    "on a carpet": "3a91af48c68da028",
    "with dark corners": "5d506541abd4ab61",
    "above a line of writing": "945ef9291d03a38c",
    "inside a drawn frame": "8c26445e9e21247c",
    "on a gray desktop": "507234697dd4d718",
    "with a black border": "8c26445e9e21247c",
    "beside a finger": "123a50d03d72a2ce",
    "out of focus": "c75d4d0e2bea992d",
    "drawn": "d11055341c65d71a",
    "files": "41a8689e46dc23e4",
    "MNIST, enlarged": "f6d24a9a92bdaa66",
    "MNIST, in a corner": "3bc9cd2b59f23269",
}


def digest(digits: Iterator[Gray] | list[Gray]) -> str:
    return hashlib.sha256(b"".join(digit.tobytes() for digit in digits)).hexdigest()[:16]


def first(picture: Gray) -> Gray:
    return to_digit(Image.fromarray(picture), framing=1)


def colored() -> Gray:
    cover = ink()[..., None]
    picture: Gray = (cover * (200, 60, 60) + (1 - cover) * (60, 130, 60)).astype(np.uint8)
    return picture


def transparent() -> bytes:
    cover = (ink() * 255).astype(np.uint8)
    return encoded(np.dstack([np.zeros_like(cover), cover]))


def enlarged(image: Gray) -> Gray:
    return np.asarray(Image.fromarray(np.pad(image, 6)).resize((400, 400), Image.Resampling.BICUBIC))


class TestFramingOne:
    @pytest.mark.parametrize("scene", SCENES)
    def test_a_scene_gives_the_same_digit_to_the_bit(self, scene: str) -> None:
        assert digest([first(SCENES[scene]())]) == DIGESTS[scene]

    def test_drawn_digits_and_files_give_the_same_digits_to_the_bit(self) -> None:
        assert (
            digest([first(on_white(digit=digit, pen=pen)) for digit in STROKES for pen in (1, 3, 9, 27)])
            == DIGESTS["drawn"]
        )
        photo = Image.fromarray(lit(200 + noise((1600, 1200), 5), ink(canvas=(1600, 1200), size=500, pen=20)))
        exif = Image.Exif()
        exif[0x0112] = 6
        files = [encoded(photo, "JPEG", exif=exif), encoded(colored()), transparent()]
        assert digest([digit_from_bytes(file, framing=1) for file in files]) == DIGESTS["files"]

    def test_mnist_digits_give_the_same_digits_to_the_bit(self, mnist: Gray) -> None:
        assert digest([first(image) for image in mnist]) == digest(list(mnist))
        assert digest([first(image) for image in 255 - mnist[:100]]) == digest(list(mnist[:100]))
        assert digest([first(enlarged(image)) for image in mnist[:100]]) == DIGESTS["MNIST, enlarged"]
        assert (
            digest([first(np.pad(image[4:24, 4:24], (0, 8))) for image in mnist[:100]]) == DIGESTS["MNIST, in a corner"]
        )

    @pytest.mark.parametrize("blank", TestNoDigit.BLANKS)
    def test_what_it_refused_it_still_refuses(self, blank: str) -> None:
        with pytest.raises(NoDigitError):
            first(TestNoDigit.BLANKS[blank]())
