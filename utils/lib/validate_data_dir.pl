#!/usr/bin/env perl

# The checks of utils/validate_data_dir.sh. It reads every file of a data directory
# that has a known name, and reports each problem as
#   FILE:LINE: what was expected, what was found; what to do.
# It opens no audio and changes nothing. Ids are compared as bytes (LC_ALL=C).

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use TextCheck qw(text_problem);

my $NAME = 'validate_data_dir.sh';
my $USAGE = <<'END';
Usage: validate_data_dir.sh [options] DATA-DIR
e.g.:  validate_data_dir.sh --no-feats data/train
Options:
  --no-feats, --no-text, --no-wav  do not require feats.scp, text, wav.scp; they are
                                   checked if present
  --no-spk-sort                    utt2spk need not be sorted by speaker too
  --non-print                      allow non-printable characters in text
END
my $MOST = 10;    # problems printed one by one

my ($POSITIVE, $WHOLE) = ('a number above 0', 'a whole number above 0');
my %VALUE = (     # what follows the id: [pattern, in words]
    'text' => [qr/.*/s, 'a transcript'],
    'wav.scp' => [qr/\S.*/s, "a file name or 'command |'"],
    'segments' => [qr/\S+ \S+ \S+/, "'recording start end'"],
    'feats.scp' => [qr/\S.*/s, 'a place in an archive'],
    'vad.scp' => [qr/\S.*/s, 'a place in an archive'],
    'cmvn.scp' => [qr/\S.*/s, 'a place in an archive'],
    'utt2lang' => [qr/\S+/, 'one language'],
    'utt2uniq' => [qr/\S+/, 'one utterance'],
    'utt2dur' => [qr/[\d.]+(?:e[-+]?\d+)?/i, $POSITIVE],
    'reco2dur' => [qr/[\d.]+(?:e[-+]?\d+)?/i, $POSITIVE],
    'utt2num_frames' => [qr/\d+/, $WHOLE],
    'utt2num_samples' => [qr/\d+/, $WHOLE],
    'utt2warp' => [qr/[\d.]+/, 'a number between 0.5 and 1.5'],
    'spk2warp' => [qr/[\d.]+/, 'a number between 0.5 and 1.5'],
    'spk2gender' => [qr/[mf]/, 'm or f'],
    'reco2file_and_channel' => [qr/\S+ [AB1]/, "'file A' or 'file B'"],
    'utt2spk' => [qr/\S+/, 'one speaker'],
    'spk2utt' => [qr/\S.*/s, 'utterances'],
);

my %without;
while (@ARGV && $ARGV[0] =~ /^--(no-feats|no-text|no-wav|no-spk-sort|non-print)$/) {
    $without{$1} = shift @ARGV;
}
if (@ARGV != 1 || $ARGV[0] =~ /^-/) {
    my $help = @ARGV && $ARGV[0] =~ /^(?:-h|--help)$/;
    print { $help ? *STDOUT : *STDERR } $USAGE;
    exit($help ? 0 : 1);
}
(my $dir = shift @ARGV) =~ s{(?<=.)/+$}{};
my $FIX = "utils/fix_data_dir.sh $dir repairs it";
my @problems;

if (-d $dir) { check_all() }
else { problem($dir, 'expected a directory, found none') }
if (@problems) {
    print STDERR "$NAME: $_\n" for grep {defined} @problems[0 .. $MOST - 1];
    print STDERR "$NAME: ... and " . (@problems - $MOST) . " more problems\n"
        if @problems > $MOST;
    exit 1;
}
print "$NAME: Successfully validated data-directory $dir\n";

sub problem {
    my ($place, $what) = @_;
    push @problems, "$place: $what";
    return;
}

sub check_all {
    my $utt2spk = table('utt2spk', 'write one "utterance speaker" per line');
    my $spk2utt = table('spk2utt',
        "make it with utils/utt2spk_to_spk2utt.pl $dir/utt2spk > $dir/spk2utt");
    my $text = table('text',
        $without{'no-text'} ? undef : 'if this is by design, specify --no-text');
    my $wav = table('wav.scp',
        $without{'no-wav'} ? undef : 'if this is by design, specify --no-wav');
    my $feats = table('feats.scp',
        $without{'no-feats'} ? undef : 'if this is by design, specify --no-feats');
    return if @problems;

    check_speakers($utt2spk, $spk2utt);
    check_text($text) if $text;
    check_wav($wav) if $wav;
    my $segments = table('segments');
    my $recordings = $segments ? check_segments($segments, $wav) : $utt2spk;
    compare($utt2spk, $_) for grep {defined} $text, $feats, $segments, map { table($_) }
        qw(vad.scp utt2lang utt2uniq utt2warp utt2dur utt2num_frames utt2num_samples);
    compare($spk2utt, $_) for grep {defined} map { table($_) }
        qw(spk2gender spk2warp cmvn.scp);
    compare($recordings, $_) for grep {defined} $wav, map { table($_) }
        qw(reco2dur reco2file_and_channel);
    return;
}

# Reads a file: {name, ids => [...], values => [...], has => {id => index}}; undef if
# it is not there. $remedy makes a missing file a problem.
sub table {
    my ($name, $remedy) = @_;
    my $path = "$dir/$name";
    if (!-e $path) {
        problem($path, "expected this file, found none; $remedy") if defined $remedy;
        return;
    }
    open(my $file, '<', $path) or return problem($path, "cannot be read: $!");
    my @lines = <$file>;
    close($file);
    return problem($path, 'expected one line or more, found an empty file;'
          . ' the step that writes it failed or had no data')
        if !@lines;
    problem("$path:" . @lines, 'expected a newline at the end of the file, found none;'
          . ' the file may be cut short: make it again')
        if $lines[-1] !~ /\n\z/;
    my %table = (name => $name, path => $path);
    for my $index (0 .. $#lines) {
        check_line(\%table, $index, $lines[$index]) or return;
    }
    return \%table;
}

# False after a problem that would only repeat on the lines to come.
sub check_line {
    my ($table, $index, $line) = @_;
    my $place = "$table->{path}:" . ($index + 1);
    my ($pattern, $words) = @{ $VALUE{ $table->{name} } };
    my ($id, $value) = split(' ', $line, 2);
    return problem($place, "expected an id and $words, found an empty line;"
          . ' delete the line')
        if !defined $id;
    return problem($place, 'found a carriage return (0x0D), expected lines that end'
          . " with a newline alone; convert with: sed -i 's/\\r\$//' $table->{path}")
        if $line =~ /\r/;
    $value =~ s/\s+\z//;
    my $plain = $value =~ s/\s+/ /gr;
    problem($place, "expected $words after $id, found '$value'; correct the line")
        if $plain !~ /\A$pattern\z/ || $words =~ /number above 0/ && !numeric($value, 0)
        || $words =~ /between 0.5/ && !(numeric($value, 0.5) && $value < 1.5);
    my $before = $index ? $table->{ids}[-1] : undef;
    if (exists $table->{has}{$id}) {
        problem($place, "expected every id once, found $id here and on line "
              . ($table->{has}{$id} + 1) . "; $FIX and keeps the first");
    }
    elsif (defined $before && $before gt $id) {
        problem($place, "expected ids sorted as by LC_ALL=C sort, found $id after"
              . " $before; $FIX");
        return 0;
    }
    push @{ $table->{ids} }, $id;
    push @{ $table->{values} }, $plain;
    $table->{has}{$id} //= $index;
    $table->{raw} .= $line if $table->{name} eq 'text';
    return 1;
}

sub numeric {
    my ($value, $above) = @_;
    return $value =~ /^\d*\.?\d*(?:e[-+]?\d+)?$/i && $value =~ /\d/ && $value > $above;
}

sub check_speakers {
    my ($utt2spk, $spk2utt) = @_;
    my ($utterances, $speakers) = @$utt2spk{qw(ids values)};
    print STDERR "$NAME: WARNING: $utt2spk->{path} has only one speaker; per-speaker"
        . " splitting and normalisation will not work\n"
        if @{ $spk2utt->{ids} } == 1;
    for my $index (1 .. $#$utterances) {
        last if $without{'no-spk-sort'};
        next if $speakers->[$index - 1] le $speakers->[$index];
        problem("$utt2spk->{path}:" . ($index + 1), 'expected the order of the'
              . " utterances to be that of the speakers, found $speakers->[$index]"
              . " after $speakers->[$index - 1]; make the speaker the first part of"
              . ' the utterance id, or specify --no-spk-sort');
        last;
    }
    my %speaker_of;
    for my $index (0 .. $#{ $spk2utt->{ids} }) {
        $speaker_of{$_} = $spk2utt->{ids}[$index]
            for split(' ', $spk2utt->{values}[$index]);
    }
    for my $index (0 .. $#$utterances) {
        my $found = delete $speaker_of{ $utterances->[$index] } // 'no speaker';
        next if $found eq $speakers->[$index];
        return problem("$utt2spk->{path}:" . ($index + 1), "expected $found for"
              . " $utterances->[$index] as in spk2utt, found $speakers->[$index];"
              . " $FIX");
    }
    my ($extra) = sort keys %speaker_of;
    problem($spk2utt->{path}, "found $extra, which is not in utt2spk; $FIX")
        if defined $extra;
    return;
}

sub check_text {
    my ($text) = @_;
    my @lines = split(/^/, $text->{raw});
    for my $index (0 .. $#lines) {
        my $why = text_problem($lines[$index], $without{'non-print'});
        problem("$text->{path}:" . ($index + 1), $why) if $why ne '';
    }
    return;
}

sub check_wav {
    my ($wav) = @_;
    for my $index (0 .. $#{ $wav->{values} }) {
        problem("$wav->{path}:" . ($index + 1), 'expected a path that every program'
              . " understands, found a tilde (~): $wav->{values}[$index]; write the"
              . ' whole path')
            if $wav->{values}[$index] =~ /^~/;
    }
    return;
}

# Returns the recordings that the segments are cut from.
sub check_segments {
    my ($segments, $wav) = @_;
    problem("$dir/wav.scp", 'expected this file beside segments, found none')
        if !$wav;
    my %recordings;
    for my $index (0 .. $#{ $segments->{values} }) {
        my ($recording, $start, $end) = split(' ', $segments->{values}[$index]);
        $recordings{$recording} = 1;
        problem("$segments->{path}:" . ($index + 1), 'expected an end above the start,'
              . " in seconds, found $start $end; correct the line")
            if !(numeric($end, 0) && numeric($start, -1) && $end > $start);
    }
    return { name => 'segments', ids => [sort keys %recordings], has => \%recordings };
}

# $other must have the ids of $reference.
sub compare {
    my ($reference, $other) = @_;
    my @missing = grep { !exists $other->{has}{$_} } @{ $reference->{ids} };
    my @extra = grep { !exists $reference->{has}{$_} } @{ $other->{ids} };
    problem($other->{path}, "expected the ids of $reference->{name}; " . @missing
          . ' of ' . @{ $reference->{ids} } . " are missing, the first is $missing[0];"
          . " $FIX")
        if @missing;
    problem("$other->{path}:" . ($other->{has}{ $extra[0] } + 1),
        "expected the ids of $reference->{name}; " . @extra . ' of '
            . @{ $other->{ids} } . " are not there, the first is $extra[0]; $FIX")
        if @extra;
    return;
}
