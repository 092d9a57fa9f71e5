/**
 * MinHash deduplication by datatrove, as a Python script: its four stages, with the n-grams, similarity and recall of
 * `kun-stream dedup` as far as its settings go. One task a core in the first and last stage.
 */

/** Arguments: a folder of JSON Lines, a folder for the output, cores. */
export const datatroveScript = `
import glob, hashlib, os, sys
import numpy
from loguru import logger
logger.remove()
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter


class CharacterSignature(MinhashDedupSignature):
    """N-grams of letters and digits in place of words, which Chinese does not separate; so no tokenizer is needed."""

    _requires_dependencies = []

    def get_shingles(self, text):
        letters = "".join(letter for letter in text.lower() if letter.isalnum())
        length = self.config.n_grams
        grams = (letters[at : at + length] for at in range(len(letters) - length + 1))
        hashes = (int.from_bytes(hashlib.sha1(gram.encode()).digest()[:4], "little") for gram in grams)
        return numpy.fromiter(hashes, dtype=numpy.uint64).reshape((-1, 1))


if __name__ == "__main__":
    source, out, cores = sys.argv[1], sys.argv[2], int(sys.argv[3])
    config = MinhashConfig(n_grams=5, num_buckets=21, hashes_per_bucket=6)
    tasks = len(glob.glob(os.path.join(source, "*.jsonl")))
    folder = lambda name: os.path.join(out, name)

    def run(name, pipeline, tasks):
        LocalPipelineExecutor(pipeline=pipeline, tasks=tasks, workers=cores, logging_dir=folder("logs-" + name)).run()

    run("1", [JsonlReader(source), CharacterSignature(output_folder=folder("signatures"), config=config)], tasks)
    run("2", [MinhashDedupBuckets(folder("signatures"), folder("buckets"), config=config)], config.num_buckets)
    run("3", [MinhashDedupCluster(folder("buckets"), folder("remove"), config=config)], 1)
    written = JsonlWriter(folder("kept"), compression=None)
    run("4", [JsonlReader(source), MinhashDedupFilter(folder("remove")), written], tasks)
`
