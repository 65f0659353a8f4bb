"""Colour profiles that differ visibly from sRGB."""

import struct

from PIL import ImageCms


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped() -> bytes:
    """Of which red means green, and the other way round."""
    return srgb().replace(b"rXYZ", b"----").replace(b"gXYZ", b"rXYZ").replace(b"----", b"gXYZ")


def linear_grey() -> bytes:
    """Of grey pixels whose levels are amounts of light."""
    profile = bytearray(srgb().replace(b"rTRC", b"kTRC"))
    profile[16:20] = b"GRAY"
    for place in range(int.from_bytes(profile[128:132])):
        name, start, _ = struct.unpack_from(">4sII", profile, 132 + 12 * place)
        if name == b"kTRC":
            profile[start : start + 12] = b"curv" + bytes(8)
    return bytes(profile)


def inverted_ink() -> bytes:
    """Of four inks, where paper is black, and all of the fourth ink is white."""
    corners = b"".join(bytes([255 if corner & 1 else 0, 128, 128]) for corner in range(16))  # in Lab
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + corners + ramp * 3
    length = 128 + 4 + 12 + len(table)
    head = bytearray(128)
    head[:4], head[8:12], head[36:40] = struct.pack(">I", length), b"\x02\x40\0\0", b"acsp"
    head[12:24], head[68:80] = b"prtrCMYKLab ", struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    return bytes(head) + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table
