#!/usr/bin/env perl

# Turns spk2utt (one speaker and all its utterances per line) into utt2spk (one
# utterance and its speaker per line).
# Usage: spk2utt_to_utt2spk.pl [spk2utt] > utt2spk

use strict;
use warnings;

while (my $line = <>) {
    my ($speaker, @utterances) = split(' ', $line);
    die "$0: line $.: expected 'speaker utterance ...', got: $line" if !@utterances;
    print "$_ $speaker\n" for @utterances;
}
close(STDOUT) or die "$0: cannot write the output: $!\n";
