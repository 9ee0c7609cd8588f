"""Archives as servers hold them, made of names and contents."""

import io
import tarfile


def make_tar(path, files):
    """Write a .tar.gz of files: name -> content, in their order."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
