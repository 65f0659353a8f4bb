"""The medium of images: image files, animations, and arrays."""

from gan_serve.media.medium import Format, Medium

MEDIUM = Medium(
    "images",
    (
        Format("png", "image/png", (".png",)),
        Format("webp", "image/webp", (".webp",)),
        Format("jpeg", "image/jpeg", (".jpg", ".jpeg")),
        Format("npy", "application/x-npy", (".npy",), holds="arrays", many=True),
        Format("gif", "image/gif", (".gif",), holds="animations"),
    ),
    default="png",
    advice="make a grid, or give a folder, a .gif or a .npy file",
    animations=("gif", "webp"),
)
